import fc from 'fast-check';
import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { useLedger } from './ledger.ts';

const ledger = useLedger();

/** From 44 BC into the year 11,000. */
const micros = fc.bigInt({ min: -63_500_000_000_000_000n, max: 285_000_000_000_000_000n });

test('a time is read to the millisecond, whatever its year and its fraction', async () => {
  const property = fc.asyncProperty(fc.array(micros, { minLength: 50, maxLength: 50 }), async (given) => {
    const { rows } = await sql<{ time: Date; ms: number }>`
      SELECT time, floor(extract(epoch FROM time) * 1000)::float8 AS ms FROM (
        SELECT 'epoch'::timestamptz + n * interval '1 microsecond' AS time FROM unnest(${given.map(String)}::bigint[]) AS n
      ) AS made`.execute(ledger.db);
    expect(rows.map(({ time }) => time.getTime())).toEqual(rows.map(({ ms }) => ms));
  });
  const milliseconds = Array.from({ length: 50 }, (_, ms) => BigInt(ms) * 1_000n);
  await fc.assert(property, { numRuns: 50, examples: [[milliseconds]] });
});

test('the ends of time are no dates', async () => {
  const { rows } =
    await sql`SELECT 'infinity'::timestamptz AS last, '-infinity'::timestamptz AS first`.execute(ledger.db);
  expect(rows).toEqual([{ last: Number.POSITIVE_INFINITY, first: Number.NEGATIVE_INFINITY }]);
});
