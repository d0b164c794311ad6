import { describe, expect, test } from 'vitest';
import { createLentTokens } from './lent-tokens.ts';

interface Load {
  perSecond: number;
  capacity?: number;
  processes: number;
  /** What comes a second, to all processes together; `shareOf` gives the part of each, the same for all when left out. */
  offered: number;
  shareOf?: (process: number) => number;
  seconds: number;
  /** When nobody can be asked, in seconds from the start. */
  away?: { from: number; to: number };
}

/** Has requests come evenly to processes that share a bucket; answers how many got a token, and how often it was asked. */
function simulate(load: Load) {
  const { perSecond, capacity = Math.ceil(perSecond), processes, offered, seconds } = load;
  const { shareOf = () => 1 / processes, away = { from: seconds, to: seconds } } = load;
  const isAway = (nowMs: number) => nowMs >= away.from * 1_000 && nowMs < away.to * 1_000;
  const lenders = Array.from({ length: processes }, () => createLentTokens({ perSecond, capacity }));
  const bucket = { tokens: capacity, filledAtMs: 0 };
  const came = lenders.map(() => 0);
  let [given, asks] = [0, 0];

  function lend(process: number, nowMs: number, isWaitedFor: boolean): void {
    const tokens = lenders[process];
    const wanted = tokens?.wanted(nowMs, isWaitedFor ? 1 : 0) ?? 0;
    if (!tokens || wanted === 0) return;
    asks += 1;
    if (isAway(nowMs)) {
      tokens.standAlone(nowMs, 1_000);
      return;
    }
    const filled = Math.min(capacity, bucket.tokens + (perSecond * (nowMs - bucket.filledAtMs)) / 1_000);
    const lent = Math.min(Math.floor(filled), wanted);
    Object.assign(bucket, { tokens: filled - lent, filledAtMs: nowMs });
    tokens.receive({ lent, left: filled - lent }, nowMs);
  }

  function request(process: number, nowMs: number): void {
    const tokens = lenders[process];
    if (!tokens) return;
    tokens.noteDemand(nowMs);
    const had = tokens.take(nowMs);
    if (tokens.isWorthAsking(nowMs)) lend(process, nowMs, !had);
    if (had || tokens.take(nowMs)) given += 1;
  }

  for (let nowMs = 0; nowMs < seconds * 1_000; nowMs += 1)
    for (let process = 0; process < processes; process += 1) {
      const due = (nowMs / 1_000) * offered * shareOf(process);
      for (; (came[process] ?? 0) < due; came[process] = (came[process] ?? 0) + 1) request(process, nowMs);
    }
  return { given, asks, most: capacity + perSecond * seconds };
}

describe('over all processes no more is done than may be, and hardly less', () => {
  test.each(
    [20, 100, 1_000, 5_000].flatMap((perSecond) =>
      [1, 2, 4, 8].map((processes) => ({ perSecond, processes })),
    ),
  )('$perSecond a second by $processes processes, of twice as much', ({ perSecond, processes }) => {
    const { given, most } = simulate({ perSecond, processes, offered: 2 * perSecond, seconds: 10 });
    expect(given).toBeLessThanOrEqual(most);
    expect(given).toBeGreaterThanOrEqual(0.9 * most);
  });

  test.each([
    {
      what: 'where one process gets nearly all',
      shareOf: (process: number) => (process === 0 ? 0.94 : 0.02),
    },
    { what: 'where half of them get nothing', shareOf: (process: number) => (process % 2 === 0 ? 0.5 : 0) },
  ])('$what', ({ shareOf }) => {
    const { given, most } = simulate({ perSecond: 100, processes: 4, offered: 400, shareOf, seconds: 10 });
    expect(given).toBeLessThanOrEqual(most);
    expect(given).toBeGreaterThanOrEqual(0.9 * most);
  });

  test('all of what comes slower', () => {
    expect(simulate({ perSecond: 100, processes: 4, offered: 90, seconds: 10 }).given).toBe(900);
  });

  test.each(
    [20, 100, 1_000].flatMap((perSecond) => [1, 2, 4].map((processes) => ({ perSecond, processes }))),
  )('$perSecond a second by $processes processes that cannot ask for three seconds', (load) => {
    const rates = { ...load, offered: 2 * load.perSecond, seconds: 10, away: { from: 4, to: 7 } };
    const { given, most } = simulate(rates);
    expect(given).toBeLessThanOrEqual(1.05 * most);
    expect(given).toBeGreaterThanOrEqual(0.8 * most);
  });

  test('of a quota all, and no more', () => {
    const { given } = simulate({ perSecond: 0, capacity: 3_000, processes: 4, offered: 1_000, seconds: 10 });
    expect(given).toBeLessThanOrEqual(3_000);
    expect(given).toBeGreaterThanOrEqual(2_990);
  });
});

test.each([
  { perSecond: 20, offered: 5_000 },
  { perSecond: 1_000, offered: 5_000 },
  { perSecond: 10_000, offered: 5_000 },
])('of $offered requests a second few ask, with $perSecond a second', ({ perSecond, offered }) => {
  const { asks } = simulate({ perSecond, processes: 1, offered, seconds: 10 });
  expect(asks / 10).toBeLessThanOrEqual(60);
});

describe('while nobody can be asked', () => {
  test('a process goes on by itself at the rate, from what was left', () => {
    const tokens = createLentTokens({ perSecond: 10, capacity: 10 });
    tokens.receive({ lent: 0, left: 4 }, 0);
    tokens.standAlone(0, 1_000);
    const takenAt = (nowMs: number) => {
      let taken = 0;
      while (tokens.take(nowMs)) taken += 1;
      return taken;
    };
    expect([takenAt(0), takenAt(500), takenAt(999), takenAt(1_000)]).toEqual([4, 5, 4, 0]);
  });

  test('and what it took meanwhile is taken out of the bucket afterwards', () => {
    for (const perSecond of [0, 10]) {
      const tokens = createLentTokens({ perSecond, capacity: 10 });
      tokens.standAlone(0, 10);
      for (let taken = 0; taken < 3; taken += 1) expect(tokens.take(0)).toBe(true);
      expect(tokens.wanted(20, 1)).toBe(4);
      tokens.receive({ lent: 4, left: 3 }, 20);
      expect([tokens.take(20), tokens.take(20)]).toEqual([true, false]);
    }
  });

  test('by each process all of it, also where another one was first', () => {
    const bucket = { tokens: 20, lent: 0 };
    const processes = [0, 1].map(() => createLentTokens({ perSecond: 20, capacity: 20 }));
    const takeAll = (tokens: ReturnType<typeof createLentTokens>, nowMs: number) => {
      let taken = 0;
      while (tokens.take(nowMs)) taken += 1;
      return taken;
    };
    for (const tokens of processes) tokens.standAlone(0, 100);
    let taken = processes.reduce((sum, tokens) => sum + takeAll(tokens, 0), 0);
    for (let nowMs = 100; nowMs < 5_000; nowMs += 50) {
      bucket.tokens = Math.min(20, bucket.tokens + 1);
      for (const tokens of nowMs % 100 === 0 ? processes : processes.toReversed()) {
        const lent = Math.min(Math.floor(bucket.tokens), tokens.wanted(nowMs, 1));
        bucket.tokens -= lent;
        tokens.receive({ lent, left: bucket.tokens }, nowMs);
        taken += takeAll(tokens, nowMs);
      }
    }
    expect(taken).toBeGreaterThan(110);
    expect(taken).toBeLessThanOrEqual(122);
  });

  test('as far as it is there: what comes back has come back', () => {
    const tokens = createLentTokens({ perSecond: 10, capacity: 10 });
    tokens.standAlone(0, 60_000);
    let taken = 0;
    for (let nowMs = 0; nowMs < 60_000; nowMs += 50) if (tokens.take(nowMs)) taken += 1;
    expect(taken).toBeGreaterThan(600);
    expect(taken).toBeLessThanOrEqual(610);
    tokens.receive({ lent: 1, left: 9 }, 60_000);
    // One has come back since the last was taken.
    expect(tokens.wanted(60_000, 1)).toBe(9);
    tokens.receive({ lent: 8, left: 1 }, 60_000);
    expect(tokens.take(60_000)).toBe(false);
    tokens.receive({ lent: 1, left: 0 }, 60_200);
    expect(tokens.take(60_200)).toBe(true);
  });

  test('what was not done after all is not taken', () => {
    const tokens = createLentTokens({ perSecond: 0, capacity: 2 });
    tokens.standAlone(0, 10);
    expect([tokens.take(0), tokens.take(0), tokens.take(0)]).toEqual([true, true, false]);
    expect(tokens.giveBack()).toBe(true);
    expect(tokens.take(0)).toBe(true);
  });
});

test('those who find none come back one after the other, as fast as tokens do, and never after more than ten minutes', () => {
  const tokens = createLentTokens({ perSecond: 10, capacity: 10 });
  tokens.receive({ lent: 0, left: 0 }, 0);
  const returns = Array.from({ length: 40 }, () => tokens.returnInMs(0));
  expect(returns.every((at, place) => at > (returns[place - 1] ?? 0))).toBe(true);
  for (let refused = 0; refused < 100_000; refused += 1) tokens.returnInMs(0);
  expect(tokens.returnInMs(0)).toBe(600_000);
});
