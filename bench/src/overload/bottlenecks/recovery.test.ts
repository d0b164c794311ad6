import { expect, test } from 'vitest';
import type { FloodAnswer } from '../load/flood.ts';
import { secondsToNormal } from './recovery.ts';

const NORMAL = { acceptP99Ms: 10, startP99Ms: 50 };

/** Ten probes a second for four seconds; `change` says what was otherwise with one. */
function probes(change: (second: number) => Partial<FloodAnswer> & { startMs?: number }) {
  const starts = new Map<number, number>();
  const answers = Array.from({ length: 40 }, (_, n): FloodAnswer => {
    const { startMs = 30, ...other } = change(Math.floor(n / 10));
    const dueAt = 100 * n;
    starts.set(n, dueAt + startMs);
    return {
      ...{ n, returned: 0, dueAt, sentAt: dueAt, answeredAt: dueAt + 5, status: 202, retryAfterSeconds: 0 },
      ...other,
    };
  });
  return { flooded: { startedAt: 0, unanswered: 0, answers }, starts };
}

const secondsOf = (change: Parameters<typeof probes>[0], more = {}) => {
  const { flooded, starts } = probes(change);
  return secondsToNormal({ ...flooded, ...more }, starts, NORMAL, 4);
};

test('times that are normal at once took no time', () => {
  expect(secondsOf(() => ({}))).toBe(0);
});

test('what starts late, or is refused, in a second is not normal before the next', () => {
  expect(secondsOf((second) => (second < 2 ? { startMs: 900 } : {}))).toBe(2);
  expect(secondsOf((second) => (second === 1 ? { status: 503 } : {}))).toBe(2);
});

test('what is slow at the end has not become normal', () => {
  expect(secondsOf((second) => (second === 3 ? { answeredAt: 100_000 } : {}))).toBe(4);
  expect(secondsOf(() => ({}), { unanswered: 1 })).toBe(4);
});

test('a job that did not start is not normal', () => {
  const { flooded } = probes(() => ({}));
  expect(secondsToNormal(flooded, new Map(), NORMAL, 4)).toBe(4);
});

test('where no worker runs nobody waits for a start', () => {
  const { flooded } = probes(() => ({}));
  expect(secondsToNormal(flooded, undefined, { acceptP99Ms: 10 }, 4)).toBe(0);
});
