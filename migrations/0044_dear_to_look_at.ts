import { type Kysely, sql } from 'kysely';
import { TAKE_LIMITED_JOBS } from './0027_limits.ts';

/**
 * The planner takes each row that is looked at with this for some millions of pages. By a long array, as before, it paid once a search, and not
 * much: as soon as the index that is meant had some hundred pages of rows that are gone, a narrower one was cheaper all the same.
 */
const DEAR_TO_LOOK_AT = `
  CREATE FUNCTION dear_to_look_at(anything integer) RETURNS boolean
  LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE COST 1000000000 AS $$ BEGIN RETURN false; END $$`;

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of [DEAR_TO_LOOK_AT, TAKE_LIMITED_JOBS]) await sql.raw(statement).execute(db);
}
