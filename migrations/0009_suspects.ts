import { type Kysely, sql } from 'kysely';

/**
 * Remembers which jobs ran in a worker that was lost with several of them: each may be the one that killed it, so it
 * runs again in a process of its own. How many ran is written down when the lease ends, as the jobs are given back
 * one after the other. All of it has a constant default, so no row is rewritten.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`ALTER TABLE jobs
    ADD COLUMN suspect boolean NOT NULL DEFAULT false,
    ADD COLUMN losses smallint NOT NULL DEFAULT 0`.execute(db);
  await sql`ALTER TABLE workers ADD COLUMN running_when_lost integer`.execute(db);
}
