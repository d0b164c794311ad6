import { setTimeout as delay } from 'node:timers/promises';
import type { Bucket, Loan } from '@accepted/shared/core/overload/lent-tokens';
import type { AskedLoan } from '@accepted/shared/ledger/limits/token-buckets';
import { describe, expect, test } from 'vitest';
import { createTokenLender } from './token-lender.ts';

const QUOTA = { name: 'quota', perSecond: 0, capacity: 1_000_000 };

/** Buckets as the ledger keeps them, which answer after so long. */
function openStore(answersInMs = 1) {
  const buckets = new Map<string, { tokens: number; filledAtMs: number }>();
  const batches: AskedLoan[][] = [];
  const alone: unknown[] = [];
  let isAway = false;

  async function lend(asked: AskedLoan[]): Promise<Loan[]> {
    batches.push(asked);
    await delay(answersInMs);
    if (isAway) throw new Error('away');
    if (new Set(asked.map(({ name }) => name)).size < asked.length) throw new Error('a bucket twice');
    return asked.map(({ name, perSecond, capacity, tokens }) => {
      const nowMs = performance.now();
      const known = buckets.get(name) ?? { tokens: capacity, filledAtMs: nowMs };
      const filled = Math.min(capacity, known.tokens + (perSecond * (nowMs - known.filledAtMs)) / 1_000);
      const lent = tokens < 0 ? tokens : Math.min(Math.floor(filled), tokens);
      buckets.set(name, { tokens: filled - lent, filledAtMs: nowMs });
      return { lent, left: filled - lent };
    });
  }

  return {
    lender: createTokenLender(lend, (error) => alone.push(error)),
    batches,
    alone,
    tokensOf: (name: string) => buckets.get(name)?.tokens,
    goAway: (away: boolean) => {
      isAway = away;
    },
  };
}

const takeAtOnce = (store: ReturnType<typeof openStore>, bucket: Bucket, count: number) =>
  Promise.all(Array.from({ length: count }, () => store.lender.take(bucket)));

const countOf = (taken: boolean[]) => taken.filter(Boolean).length;

describe('of those who come at once', () => {
  test.each([
    [QUOTA, 500],
    [{ name: 'tenant', perSecond: 5, capacity: 100 }, 80],
  ])('all get a token of %o where there are as many', async (bucket, count) => {
    const store = openStore();
    expect(countOf(await takeAtOnce(store, bucket, count))).toBe(count);
    expect(store.batches.length).toBeLessThan(10);
  });

  test('none gets more than there are, and where there can be none all are told so', async () => {
    expect(countOf(await takeAtOnce(openStore(), { ...QUOTA, capacity: 7 }, 20))).toBe(7);
    expect(countOf(await takeAtOnce(openStore(), { ...QUOTA, capacity: 0 }, 20))).toBe(0);
  });
});

test('a store that is slow lends no more than one that is quick', async () => {
  const bucket = { name: 'tenant', perSecond: 20, capacity: 30 };
  const store = openStore(150);
  const beganMs = performance.now();
  const taken: (boolean | Promise<boolean>)[] = [];
  while (performance.now() - beganMs < 1_500) {
    for (let come = 0; come < 10; come += 1) taken.push(store.lender.take(bucket));
    await delay(5);
  }
  const seconds = (performance.now() - beganMs) / 1_000;
  const count = countOf(await Promise.all(taken));
  expect(count).toBeGreaterThan(30);
  expect(count).toBeLessThanOrEqual(30 + 20 * seconds + 10);
});

test('a bucket whose rate was changed a moment ago is asked for once, and nobody stands alone for it', async () => {
  const store = openStore(20);
  const others = store.lender.take({ name: 'other', perSecond: 10, capacity: 10 });
  const before = store.lender.take({ name: 'tenant', perSecond: 10, capacity: 10 });
  const after = store.lender.take({ name: 'tenant', perSecond: 20, capacity: 20 });
  expect(await Promise.all([others, before, after])).toEqual([true, true, true]);
  expect(store.alone).toEqual([]);
});

test('what is given back to a quota is there again, also where that could not be told at once', async () => {
  const store = openStore();
  const bucket = { ...QUOTA, capacity: 10 };
  expect(countOf(await takeAtOnce(store, bucket, 3))).toBe(3);
  store.goAway(true);
  store.lender.giveBack(bucket);
  await expect.poll(() => store.alone.length).toBeGreaterThan(0);
  store.goAway(false);
  store.lender.giveBack(bucket);
  await expect.poll(() => store.tokensOf('quota')).toBe(9);
});

test('what is left is told without asking for it', () => {
  const store = openStore();
  expect(store.lender.remaining(QUOTA)).toBe(1_000_000);
  expect(store.batches).toEqual([]);
});
