import { type RawBuilder, sql } from 'kysely';

/** Jobs are counted up to this many, so that an answer stays cheap whatever the backlog. */
const MAX_COUNTED = 50_000;

/** Builds the number of the rows of `rows`, a table and a condition, or 50,000 where there are more. */
export function countRows(rows: RawBuilder<unknown>): RawBuilder<number> {
  return sql<number>`(SELECT count(*)::int FROM (SELECT FROM ${rows} LIMIT ${sql.lit(MAX_COUNTED)}) AS counted)`;
}
