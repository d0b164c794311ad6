import { type RawBuilder, sql } from 'kysely';
import type { Database } from '../connection/connect.ts';

/** How many jobs of a tenant come a second. */
export interface HotTenant {
  tenantId: string;
  perSecond: number;
}

/** How many of its jobs that have a concurrency key do. */
export interface HotKey extends HotTenant {
  concurrencyKey: string;
}

/** Where most of what comes of late comes from. */
export interface Hotspots {
  tenants: HotTenant[];
  keys: HotKey[];
}

/** What a process has not told again for so long is not so any more, or the process is gone. */
const FRESH_SECONDS = 15;
const KEPT_SECONDS = 60;

/**
 * Tells what comes to this process, in place of what it told before, and forgets what others told long ago. Whoever finds somebody
 * else at that leaves it to them.
 */
export async function tellHotspots(
  db: Database,
  processId: string,
  { tenants, keys }: Hotspots,
): Promise<void> {
  await sql`
    /* tell-hotspots */ WITH gone AS (
      DELETE FROM hotspots WHERE process_id IN (
        SELECT process_id FROM hotspots
        WHERE told_at < now() - make_interval(secs => ${KEPT_SECONDS}) AND process_id <> ${processId}
        FOR UPDATE SKIP LOCKED)
    )
    INSERT INTO hotspots (process_id, tenants, keys, told_at)
    VALUES (${processId}, ${JSON.stringify(tenants)}::jsonb, ${JSON.stringify(keys)}::jsonb, now())
    ON CONFLICT (process_id) DO UPDATE
      SET tenants = excluded.tenants, keys = excluded.keys, told_at = excluded.told_at`.execute(db);
}

/** Reads what most comes from over all processes, the most first: up to `limit` of each, from `leastPerSecond` on. */
export async function readHotspots(
  db: Database,
  bounds: { limit: number; leastPerSecond: number },
): Promise<Hotspots> {
  const { rows } = await sql<Hotspots>`
    /* read-hotspots */ WITH fresh AS MATERIALIZED (
      SELECT tenants, keys FROM hotspots WHERE told_at > now() - make_interval(secs => ${FRESH_SECONDS})
    )
    SELECT ${hottest({ of: sql`tenants`, by: sql`"tenantId"` }, bounds)} AS tenants,
      ${hottest({ of: sql`keys`, by: sql`"tenantId", "concurrencyKey"` }, bounds)} AS keys`.execute(db);
  const [row] = rows;
  if (!row) throw new Error('A look at the hotspots answered no row.');
  return row;
}

function hottest(
  { of, by }: { of: RawBuilder<unknown>; by: RawBuilder<unknown> },
  { limit, leastPerSecond }: { limit: number; leastPerSecond: number },
): RawBuilder<unknown> {
  return sql`(SELECT coalesce(json_agg(hot), '[]') FROM (
    SELECT ${by}, sum("perSecond") AS "perSecond" FROM fresh
    CROSS JOIN jsonb_to_recordset(${of}) AS told ("tenantId" uuid, "concurrencyKey" text, "perSecond" float8)
    GROUP BY ${by} HAVING sum("perSecond") >= ${leastPerSecond}
    ORDER BY "perSecond" DESC, ${by} LIMIT ${limit}) AS hot)`;
}
