import { describe, expect, test } from 'vitest';
import { StartAllowance } from './start-allowance.ts';

/** Has dispatchers of several queues start as many jobs of a type as they may, for so long; answers when each was started. */
function startsWith({
  perSecond,
  dispatchers = 1,
  seconds = 10,
}: Record<string, number> & { perSecond: number }) {
  const allowances = Array.from(
    { length: dispatchers },
    () => new StartAllowance({ gate: 'type test', name: 'type test', perSecond }),
  );
  const { capacity } = allowances[0]?.bucket ?? { capacity: 0 };
  const bucket = { tokens: capacity, filledAtMs: 0 };
  const starts: number[] = [];
  for (let nowMs = 0; nowMs < seconds * 1_000; nowMs += 5)
    for (const allowance of allowances) {
      const wanted = allowance.wanted(nowMs);
      if (wanted > 0) {
        const filled = Math.min(capacity, bucket.tokens + (perSecond * (nowMs - bucket.filledAtMs)) / 1_000);
        const lent = Math.min(Math.floor(filled), wanted);
        Object.assign(bucket, { tokens: filled - lent, filledAtMs: nowMs });
        allowance.receive({ lent, left: filled - lent }, nowMs);
      }
      const room = allowance.room();
      for (let job = 0; job < room; job += 1) starts.push(nowMs);
      allowance.spend(room);
    }
  return starts;
}

describe.each([1, 3])('%i dispatchers', (dispatchers) => {
  test.each([0.5, 1, 4, 20, 100, 2_000])('start %d jobs a second', (perSecond) => {
    const starts = startsWith({ perSecond, dispatchers, seconds: 20 });
    expect(starts.length).toBeGreaterThan(perSecond * 20 * 0.9 - 1);
    expect(starts.length).toBeLessThanOrEqual(perSecond * 20 + Math.max(1, perSecond / 4) + 1);
  });
});

test('where none was started for a while, hardly more are at once', () => {
  const first = startsWith({ perSecond: 100, seconds: 1 }).filter((atMs) => atMs < 100);
  expect(first.length).toBeLessThanOrEqual(25 + 10);
});

test('nobody is asked while there is nothing to be lent', () => {
  const allowance = new StartAllowance({ gate: 'queue', name: 'queue test', perSecond: 2 });
  expect(allowance.wanted(0)).toBe(1);
  allowance.receive({ lent: 0, left: 0.5 }, 0);
  expect([0, 249, 250].map((nowMs) => allowance.wanted(nowMs))).toEqual([0, 0, 1]);
  expect(allowance.nextInMs(100)).toBe(150);
  allowance.receive({ lent: 1, left: 0 }, 250);
  expect([allowance.room(), allowance.wanted(260), allowance.nextInMs(260)]).toEqual([1, 0, 0]);
});
