import { type Kysely, sql } from 'kysely';
import { TAKE_LIMITED_JOBS } from './0027_limits.ts';

/** Calls a key full only where its slots are held: one that nobody held could be waited for until the queue was read whole again. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql.raw(TAKE_LIMITED_JOBS).execute(db);
}
