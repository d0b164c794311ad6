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

/** While handlers idle nothing is told, and a burst is likely to be worked off as the one before was. */
const RECENT_SECONDS = 30;

const isToldWithin = (seconds: number) =>
  sql<boolean>`coalesce(drain_told_at > now() - make_interval(secs => ${sql.lit(seconds)}), false)`;

/** What was told a while ago at most, in a statement that reads `queues`; `null` where nobody has. */
export const RECENT_DRAIN = sql<
  number | null
>`CASE WHEN ${isToldWithin(RECENT_SECONDS)} THEN drain_per_second END`;
/** Whether that is what can be started now. */
export const IS_DRAIN_FRESH = isToldWithin(FRESH_SECONDS);
