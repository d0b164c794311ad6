import { type Kysely, sql } from 'kysely';
import { TAKE_LIMITED_JOBS } from './0027_limits.ts';

/** Has those who take limited jobs look for them by the indexes that are meant, also while the tables are taken for empty. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql.raw(TAKE_LIMITED_JOBS).execute(db);
}
