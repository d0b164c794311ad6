import { type RawBuilder, sql } from 'kysely';
import type { BreakerTarget } from '../../core/outbound/breaker-target.ts';
import { asTenant } from '../connection/as-tenant.ts';
import type { Database } from '../connection/connect.ts';

/** For how long breakers are open, in seconds: each time that a try failed for twice as long. */
export interface OpenSeconds {
  first: number;
  most: number;
}

/** How a breaker stands that is not closed. */
export interface OpenBreaker {
  id: string;
  /** How often it was opened since it was closed. */
  openings: number;
  /** For how long no call is made, 0 when one is to try; and for how long somebody tries. */
  openForMs: number;
  triedForMs: number;
}

const remainingMs = (until: string) =>
  sql`coalesce(greatest(0, extract(epoch FROM ${sql.ref(until)} - now()) * 1000), 0)::float8`;
const STANDING = sql`id, openings, ${remainingMs('open_until')} AS "openForMs", ${remainingMs('tried_until')} AS "triedForMs"`;

const openUntil = ({ first, most }: OpenSeconds, openings: RawBuilder<unknown>) =>
  sql`now() + make_interval(secs => least(${most}::float8, ${first}::float8 * 2 ^ least(30, ${openings} - 1)))`;

/** Opens a breaker, or leaves it open where it is; answers how it stands then. */
export async function openBreaker(
  db: Database,
  { id, tenantId, type, target }: BreakerTarget,
  { errorCode, seconds }: { errorCode: string; seconds: OpenSeconds },
): Promise<OpenBreaker | undefined> {
  const { rows } = await sql<OpenBreaker>`
    /* open-breaker */ WITH opened AS (
      INSERT INTO breakers AS known (id, tenant_id, type, target, error_code, open_until)
      VALUES (${id}, ${tenantId}, ${type}, ${target}, ${errorCode}, ${openUntil(seconds, sql`1`)})
      ON CONFLICT (id) DO UPDATE SET error_code = excluded.error_code, openings = known.openings + 1, tried_until = NULL,
        open_until = ${openUntil(seconds, sql`known.openings + 1`)}
      WHERE known.open_until <= now()
      RETURNING *)
    SELECT ${STANDING} FROM opened
    UNION ALL SELECT ${STANDING} FROM breakers WHERE id = ${id} AND NOT EXISTS (SELECT FROM opened)`.execute(
    db,
  );
  return rows[0];
}

/**
 * Asks to be the one that tries whether what is called answers again, for `seconds` at most; `undefined`: the breaker is closed. Where
 * `isOurs` is false somebody else tries, or it is not time.
 */
export async function tryBreaker(
  db: Database,
  id: string,
  seconds: number,
): Promise<(OpenBreaker & { isOurs: boolean }) | undefined> {
  const { rows } = await sql<OpenBreaker & { isOurs: boolean }>`
    /* try-breaker */ WITH ours AS (
      UPDATE breakers SET tried_until = now() + make_interval(secs => ${seconds}::float8)
      WHERE id = ${id} AND open_until <= now() AND (tried_until IS NULL OR tried_until <= now())
      RETURNING *)
    SELECT ${STANDING}, true AS "isOurs" FROM ours
    UNION ALL SELECT ${STANDING}, false FROM breakers WHERE id = ${id} AND NOT EXISTS (SELECT FROM ours)`.execute(
    db,
  );
  return rows[0];
}

/** Has somebody else try: whoever was to do it did not get as far. */
export async function leaveTryToOthers(db: Database, id: string): Promise<void> {
  await sql`/* leave-try */ UPDATE breakers SET tried_until = NULL WHERE id = ${id}`.execute(db);
}

/** Closes a breaker: what it called answers. */
export async function closeBreaker(db: Database, id: string): Promise<void> {
  await sql`/* close-breaker */ DELETE FROM breakers WHERE id = ${id}`.execute(db);
}

/** Reads how a breaker stands; `undefined`: it is closed. */
export async function readBreaker(db: Database, id: string): Promise<OpenBreaker | undefined> {
  const { rows } =
    await sql<OpenBreaker>`/* read-breaker */ SELECT ${STANDING} FROM breakers WHERE id = ${id}`.execute(db);
  return rows[0];
}

/** Reads those that are not closed, as a worker does that starts; of very many those that were opened last. */
export async function readOpenBreakers(db: Database, most: number): Promise<OpenBreaker[]> {
  const { rows } = await sql<OpenBreaker>`
    /* read-breakers */ SELECT ${STANDING} FROM breakers ORDER BY open_until DESC LIMIT ${most}`.execute(db);
  return rows;
}

/** A breaker as its tenant sees it. */
export interface ShownBreaker {
  type: string;
  target: string;
  errorCode: string;
  openings: number;
  openedAt: Date;
  openUntil: Date;
  isOpen: boolean;
}

const SHOWN = sql`type, target, error_code AS "errorCode", openings, opened_at AS "openedAt", open_until AS "openUntil",
  open_until > now() AS "isOpen"`;

/** Lists the breakers of a tenant that are not closed, the one that was opened last first. */
export function listBreakers(db: Database, tenantId: string, most: number): Promise<ShownBreaker[]> {
  return asTenant(db, tenantId, async (tx) => {
    const { rows } = await sql<ShownBreaker>`
      SELECT ${SHOWN} FROM breakers WHERE tenant_id = ${tenantId} ORDER BY opened_at DESC, id LIMIT ${most}`.execute(
      tx,
    );
    return rows;
  });
}

/** Finds a breaker of a tenant that is not closed. */
export function findBreaker(
  db: Database,
  { id, tenantId }: Pick<BreakerTarget, 'id' | 'tenantId'>,
): Promise<ShownBreaker | undefined> {
  return asTenant(db, tenantId, async (tx) => {
    const { rows } = await sql<ShownBreaker>`
      SELECT ${SHOWN} FROM breakers WHERE tenant_id = ${tenantId} AND id = ${id}`.execute(tx);
    return rows[0];
  });
}

/** Counts those that are not closed, over all tenants, by the type of the jobs that call. */
export async function countBreakers(db: Database): Promise<{ type: string; count: number }[]> {
  const { rows } = await sql<{ type: string; count: number }>`
    SELECT type, count(*)::int AS count FROM breakers GROUP BY type ORDER BY type`.execute(db);
  return rows;
}

const FORGOTTEN_AFTER_DAYS = 1;

/** Deletes up to `limit` breakers that nobody has tried for a day after they could have been: nothing calls there any more. */
export async function forgetBreakers(db: Database, limit: number): Promise<number> {
  const { numAffectedRows } = await sql`
    DELETE FROM breakers WHERE id IN (
      SELECT id FROM breakers WHERE open_until < now() - make_interval(days => ${FORGOTTEN_AFTER_DAYS}::int)
      ORDER BY open_until LIMIT ${limit} FOR UPDATE SKIP LOCKED)`.execute(db);
  return Number(numAffectedRows ?? 0n);
}
