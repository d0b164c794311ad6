import { describe, expect, test } from 'vitest';
import { createConcurrencyLimit } from './concurrency-limit.ts';

const OPTIONS = { lateMs: 10, least: 16, first: 64, most: 1_000 };
/** A request takes so many turns of the event loop, half a millisecond in all: 2,000 a second can be done. */
const TURNS = 5;
const TURN_MS = 0.1;
const STRETCH_MS = 50;
/** What looks after the event loop sees no less. */
const LOOKS_MS = 10;
const MOST_WAITING = 40;

interface Load {
  /** How many come a second. */
  perSecond: (atMs: number) => number;
  /** How long the database takes, between two turns. */
  databaseMs?: (atMs: number) => number;
  /** When the process stands still, and for how long. */
  pause?: { atMs: number; ms: number };
  seconds: number;
}

interface Request {
  turn: number;
  readyAtMs: number;
  beganAtMs: number;
}

/** Has an event loop work on what comes: in each of its rounds, all that is ready has a turn. */
function simulate({ perSecond, databaseMs = () => 1, pause, seconds }: Load) {
  const limit = createConcurrencyLimit(OPTIONS);
  const done: { atMs: number; tookMs: number }[] = [];
  const refused: number[] = [];
  const sizes: { atMs: number; size: number }[] = [];
  let inside: Request[] = [];
  let [nowMs, due, waiting, hasPaused] = [0, 0, 0, false];
  let stretch = { endsAtMs: STRETCH_MS, squares: 0, lastedMs: 0, mostAtOnce: 0 };

  function letIn(lastedMs: number): void {
    due += (lastedMs / 1_000) * perSecond(nowMs);
    for (; due >= 1; due -= 1) {
      if (waiting < MOST_WAITING) waiting += 1;
      else refused.push(nowMs);
    }
    for (; waiting > 0 && inside.length < limit.size(); waiting -= 1)
      inside.push({ turn: 0, readyAtMs: nowMs, beganAtMs: nowMs });
    stretch.mostAtOnce = Math.max(stretch.mostAtOnce, inside.length);
  }

  function round(): number {
    const beganAtMs = nowMs;
    const ready = inside.filter(({ readyAtMs }) => readyAtMs <= nowMs);
    for (const request of ready) {
      nowMs += TURN_MS;
      request.turn += 1;
      request.readyAtMs = nowMs + (request.turn === 2 ? databaseMs(nowMs) : 0);
      if (request.turn === TURNS) done.push({ atMs: nowMs, tookMs: nowMs - request.beganAtMs });
    }
    inside = inside.filter(({ turn }) => turn < TURNS);
    if (ready.length === 0) nowMs += 0.5;
    if (pause && !hasPaused && nowMs >= pause.atMs) {
      nowMs += pause.ms;
      hasPaused = true;
    }
    return nowMs - beganAtMs;
  }

  while (nowMs < seconds * 1_000) {
    const lastedMs = round();
    letIn(lastedMs);
    const seenMs = Math.max(LOOKS_MS, lastedMs);
    stretch.squares += (seenMs * lastedMs) / 2;
    stretch.lastedMs += lastedMs;
    if (nowMs < stretch.endsAtMs) continue;
    const lateMs = Math.max(0, stretch.squares / stretch.lastedMs - LOOKS_MS / 2);
    limit.follow({ lateMs, mostAtOnce: stretch.mostAtOnce });
    sizes.push({ atMs: nowMs, size: limit.size() });
    stretch = { endsAtMs: nowMs + STRETCH_MS, squares: 0, lastedMs: 0, mostAtOnce: inside.length };
  }
  const between = <Of extends { atMs: number }>(of: Of[], fromS: number, toS: number) =>
    of.filter(({ atMs }) => atMs >= fromS * 1_000 && atMs < toS * 1_000);
  return {
    perSecond: (fromS: number, toS: number) => between(done, fromS, toS).length / (toS - fromS),
    p99Ms: (fromS: number, toS: number) =>
      between(done, fromS, toS)
        .map(({ tookMs }) => tookMs)
        .sort((one, other) => one - other)
        .at(-Math.ceil(between(done, fromS, toS).length / 100)) ?? 0,
    sizes: (fromS: number, toS: number) => between(sizes, fromS, toS).map(({ size }) => size),
    refused,
  };
}

describe.each([2, 4, 8])('of %d times as much as can be done', (times) => {
  const served = simulate({ perSecond: (atMs) => (atMs < 2_000 ? 1_000 : times * 2_000), seconds: 12 });

  test('all is done that can, in little time', () => {
    expect(served.perSecond(3, 12)).toBeGreaterThan(0.95 * 2_000);
    expect(served.p99Ms(4, 12)).toBeLessThan(200);
  });

  test('the limit comes to where it stays', () => {
    const sizes = served.sizes(6, 12);
    expect(Math.max(...sizes) / Math.min(...sizes)).toBeLessThan(2);
  });
});

test('nobody is refused while there is time for all', () => {
  expect(simulate({ perSecond: () => 1_800, seconds: 10 }).refused).toEqual([]);
});

test('a database that becomes slow is waited for by as many as it takes', () => {
  const slow = { databaseMs: (atMs: number) => (atMs < 2_000 ? 1 : 100) };
  const served = simulate({ perSecond: () => 1_000, ...slow, seconds: 10 });
  expect(served.perSecond(4, 10)).toBeGreaterThan(0.97 * 1_000);
});

test('it falls again to what there is time for when the database is quick', () => {
  const served = simulate({
    perSecond: (atMs) => (atMs < 5_000 ? 1_800 : 8_000),
    databaseMs: (atMs) => (atMs < 5_000 ? 300 : 1),
    seconds: 10,
  });
  expect(Math.max(...served.sizes(3, 5))).toBeGreaterThan(450);
  expect(Math.max(...served.sizes(7, 10))).toBeLessThan(400);
  expect(served.p99Ms(7, 10)).toBeLessThan(200);
});

test('a pause of the process changes nothing', () => {
  const served = simulate({ perSecond: () => 1_000, pause: { atMs: 3_000, ms: 150 }, seconds: 6 });
  expect(served.refused.filter((atMs) => atMs > 3_500)).toEqual([]);
  expect(Math.min(...served.sizes(3, 6))).toBe(OPTIONS.first);
});

test('when the load is over all is served at once again', () => {
  const served = simulate({ perSecond: (atMs) => (atMs < 5_000 ? 16_000 : 1_000), seconds: 10 });
  expect(served.refused.filter((atMs) => atMs > 5_200)).toEqual([]);
  expect(served.p99Ms(6, 10)).toBeLessThan(20);
});
