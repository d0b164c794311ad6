import { sql } from 'kysely';
import type { Bucket, Loan } from '../../core/overload/lent-tokens.ts';
import type { Database } from '../connection/connect.ts';
import { type BatchColumn, unnestBatch } from '../connection/unnest.ts';

/** A loan that is asked for, or with less than 0 tokens one that is given back. */
export interface AskedLoan extends Bucket {
  tokens: number;
}

const COLUMNS: BatchColumn<AskedLoan>[] = [
  { name: 'name', type: 'text', value: ({ name }) => name },
  { name: 'capacity', type: 'float8', value: ({ capacity }) => capacity },
  { name: 'per_second', type: 'float8', value: ({ perSecond }) => perSecond },
  { name: 'tokens', type: 'integer', value: ({ tokens }) => tokens },
];

/**
 * Lends tokens out of buckets, by the clock of Postgres, as many as there are of those that are asked for; a bucket that nobody has
 * asked before is full. Answers in the order of what was asked. Each may be asked once; they are locked in the order of their names.
 *
 * One into which nothing comes back, and whose capacity was changed, keeps what was taken out of it, also where that is more than
 * there may be now. A crash of Postgres may forget
 * the last loans: nobody waits for them to be written.
 */
export async function lendTokens(db: Database, asked: readonly AskedLoan[]): Promise<Loan[]> {
  const { rows } = await sql<Loan & { name: string }>`
    /* lend-tokens */ INSERT INTO token_buckets AS bucket (name, tokens, capacity, per_second, lent, filled_at)
    SELECT name, capacity - greatest(0, least(tokens, floor(capacity))), capacity, per_second, least(tokens, floor(capacity)), clock_timestamp()
    FROM ${unnestBatch('asked', COLUMNS, [...asked])}, set_config('synchronous_commit', 'off', true)
    ORDER BY name
    ON CONFLICT (name) DO UPDATE SET (tokens, lent, capacity, per_second, filled_at) = (
      SELECT least(excluded.capacity, filled - granted), granted, excluded.capacity, excluded.per_second, moment
      FROM clock_timestamp() AS moment
      CROSS JOIN LATERAL (
        SELECT least(excluded.capacity, bucket.tokens
          + CASE WHEN excluded.per_second = 0 THEN excluded.capacity - bucket.capacity
            ELSE excluded.per_second * greatest(0, extract(epoch FROM moment - bucket.filled_at)) END) AS filled) AS now
      CROSS JOIN LATERAL (
        SELECT CASE WHEN excluded.lent < 0 THEN excluded.lent ELSE greatest(0, least(floor(filled), excluded.lent)) END AS granted) AS loan)
    RETURNING name, lent, greatest(0, tokens) AS left`.execute(db);
  const loanOf = new Map(rows.map(({ name, ...loan }) => [name, loan]));
  return asked.map(({ name }) => loanOf.get(name) ?? { lent: 0, left: 0 });
}

/** Picks out of many buckets those in which there is no token just now. */
export async function listUsedUp(db: Database, names: readonly string[]): Promise<Set<string>> {
  const { rows } = await sql<{ name: string }>`
    SELECT name FROM token_buckets
    WHERE name = ANY(${[...names]}::text[]) AND tokens + per_second * extract(epoch FROM now() - filled_at) < 1`.execute(
    db,
  );
  return new Set(rows.map(({ name }) => name));
}

const UNUSED_DAYS = 3;

/** Deletes up to `limit` buckets that nobody has asked for days, and that are full again or those of past quotas; answers how many. */
export async function dropUnusedBuckets(db: Database, limit: number): Promise<number> {
  const { numAffectedRows } = await sql`
    DELETE FROM token_buckets WHERE name IN (
      SELECT name FROM token_buckets WHERE name >= '' AND filled_at < now() - make_interval(days => ${UNUSED_DAYS}::int)
        AND (per_second = 0 OR tokens + per_second * extract(epoch FROM now() - filled_at) >= capacity)
      ORDER BY name LIMIT ${limit} FOR UPDATE SKIP LOCKED)`.execute(db);
  return Number(numAffectedRows ?? 0n);
}
