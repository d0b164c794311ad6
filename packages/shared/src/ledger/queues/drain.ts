import { sql } from 'kysely';
import type { Database } from '../connection/connect.ts';

/** Tells how many jobs of a queue can be started a second. */
export async function tellDrain(db: Database, queue: string, perSecond: number): Promise<void> {
  await sql`
    /* tell-drain */ UPDATE queues SET drain_per_second = ${perSecond}, drain_told_at = now() WHERE name = ${queue}`.execute(
    db,
  );
}

/** What was told before this is of another time. */
const FRESH_SECONDS = 5;

/** What was told of late, in a statement that reads `queues`; `null` where nobody has. */
export const FRESH_DRAIN = sql<number | null>`
  CASE WHEN drain_told_at > now() - make_interval(secs => ${sql.lit(FRESH_SECONDS)}) THEN drain_per_second END`;
