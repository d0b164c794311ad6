import { dropUnusedBuckets, lendTokens } from '@accepted/shared/ledger/limits/token-buckets';
import { sql } from 'kysely';
import { beforeEach, expect, test } from 'vitest';
import { useLedger } from './ledger.ts';

const ledger = useLedger();
beforeEach(async () => {
  await sql`TRUNCATE token_buckets`.execute(ledger.db);
});

const QUOTA = { name: 'quota 2026-11-30 a', perSecond: 0, capacity: 10 };

async function lend(bucket: typeof QUOTA, tokens: number) {
  const [loan] = await lendTokens(ledger.db, [{ ...bucket, tokens }]);
  return loan;
}

const passed = (interval: string) =>
  sql`UPDATE token_buckets SET filled_at = filled_at - ${interval}::interval`.execute(ledger.db);

test('a bucket lends what is in it, to the last token', async () => {
  expect(await lend(QUOTA, 4)).toEqual({ lent: 4, left: 6 });
  expect(await lend(QUOTA, 5)).toEqual({ lent: 5, left: 1 });
  expect(await lend(QUOTA, 5)).toEqual({ lent: 1, left: 0 });
  expect(await lend(QUOTA, 5)).toEqual({ lent: 0, left: 0 });
});

test('what comes back comes back by the second, and never more than there may be', async () => {
  const bucket = { name: 'tenant a', perSecond: 10, capacity: 20 };
  expect(await lend(bucket, 25)).toEqual({ lent: 20, left: 0 });
  await passed('1 second');
  const after = await lend(bucket, 5);
  expect(after?.lent).toBe(5);
  expect(after?.left).toBeGreaterThanOrEqual(5);
  expect(after?.left).toBeLessThan(6);
  await passed('1 hour');
  expect(await lend(bucket, 30)).toEqual({ lent: 20, left: 0 });
});

test('a clock that went back takes nothing away', async () => {
  const bucket = { name: 'tenant a', perSecond: 10, capacity: 20 };
  await lend(bucket, 5);
  await passed('-1 hour');
  expect(await lend(bucket, 15)).toEqual({ lent: 15, left: 0 });
});

test('a quota that is changed keeps what was taken out of it', async () => {
  await lend(QUOTA, 8);
  expect(await lend({ ...QUOTA, capacity: 30 }, 1)).toEqual({ lent: 1, left: 21 });
  expect(await lend({ ...QUOTA, capacity: 5 }, 1)).toEqual({ lent: 0, left: 0 });
  expect(await lend({ ...QUOTA, capacity: 30 }, 30)).toEqual({ lent: 21, left: 0 });
});

test('a rate that is lowered gives no more than it may from then on', async () => {
  await lend({ name: 'tenant a', perSecond: 100, capacity: 100 }, 1);
  expect(await lend({ name: 'tenant a', perSecond: 1, capacity: 2 }, 50)).toEqual({ lent: 2, left: 0 });
});

test('what is given back is lent again, and there is never more than there may be', async () => {
  await lend(QUOTA, 10);
  await lend(QUOTA, -3);
  expect(await lend(QUOTA, 2)).toEqual({ lent: 2, left: 1 });
  await lend(QUOTA, -50);
  expect(await lend(QUOTA, 50)).toEqual({ lent: 10, left: 0 });
  await lend({ ...QUOTA, name: 'unknown' }, -5);
  expect(await lend({ ...QUOTA, name: 'unknown' }, 50)).toEqual({ lent: 10, left: 0 });
});

test('many processes at once get no more than there is, in whatever order they ask', async () => {
  const names = Array.from({ length: 20 }, (_, place) => `quota ${place}`);
  const asked = names.map((name) => ({ name, perSecond: 0, capacity: 50, tokens: 4 }));
  const loans = await Promise.all(
    Array.from({ length: 25 }, (_, process) => {
      const rotated = [...asked.slice(process % 20), ...asked.slice(0, process % 20)];
      return lendTokens(ledger.db, process % 2 === 0 ? rotated : rotated.toReversed());
    }),
  );
  expect(loans.flat().reduce((sum, { lent }) => sum + lent, 0)).toBe(20 * 50);
});

test('answers come in the order of what was asked', async () => {
  const asked = [
    { name: 'b', perSecond: 0, capacity: 7, tokens: 1 },
    { name: 'a', perSecond: 0, capacity: 3, tokens: 1 },
  ];
  expect(await lendTokens(ledger.db, asked)).toEqual([
    { lent: 1, left: 6 },
    { lent: 1, left: 2 },
  ]);
});

test('buckets of past days go, and those that are full again, and no others', async () => {
  await lend(QUOTA, 1);
  await lend({ name: 'tenant full', perSecond: 1, capacity: 100 }, 100);
  await lend({ name: 'tenant slow', perSecond: 0.000_1, capacity: 1_000 }, 1_000);
  await passed('4 days');
  await lend({ ...QUOTA, name: 'quota 2026-12-04 a' }, 1);
  expect(await dropUnusedBuckets(ledger.db, 10)).toBe(2);
  expect(await dropUnusedBuckets(ledger.db, 10)).toBe(0);
  const left = await ledger.db.selectFrom('token_buckets').select('name').orderBy('name').execute();
  expect(left.map(({ name }) => name)).toEqual(['quota 2026-12-04 a', 'tenant slow']);
});
