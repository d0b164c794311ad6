import { sql, type Transaction } from 'kysely';
import type { RequestKey } from '../../core/job/idempotency-fingerprint.ts';
import { asOperator, asTenant } from '../connection/as-tenant.ts';
import type { Database } from '../connection/connect.ts';
import type { Ledger } from '../connection/tables.ts';
import { findJob } from './read-jobs.ts';
import type { ShownJob } from './shown-job.ts';

/** An idempotency key is kept this long, and never shorter than a job that was submitted with it is unfinished. */
export const KEY_TTL_HOURS = 24;

/** What a request did, and the HTTP status that says so. */
export interface Done<Made> {
  status: number;
  made: Made;
}

/** `replayed`: it was done before, and `kept` is what was kept of that; `keyInUse`: it is just being done. */
export type ActResult<Made> =
  | ({ kind: 'done' } & Done<Made>)
  | { kind: 'replayed'; status: number; kept: unknown }
  | { kind: 'keyReused' }
  | { kind: 'keyInUse' };

export interface KeyedAct<Made> {
  tenantId: string;
  /** Whether it reaches beyond the tenant, whose key it is all the same. */
  isOperators?: boolean;
  requestKey: RequestKey;
  /** Does it. May run again after a conflict; what it throws leaves neither an effect nor the key. */
  act(tx: Transaction<Ledger>): Promise<Done<Made>>;
  /** Answers JSON of 4 kB at most from which the answer can be made again. */
  keep(made: Made): unknown;
}

/**
 * Does something once for a key: key, effect and what is kept of the answer are one transaction, so a crash at any line
 * leaves all of them or none. Another request with the key waits for the first, up to two seconds.
 */
export async function actOnce<Made>(db: Database, keyed: KeyedAct<Made>): Promise<ActResult<Made>> {
  const { tenantId, isOperators = false, requestKey, act, keep } = keyed;
  const once = async (tx: Transaction<Ledger>): Promise<ActResult<Made>> => {
    if (!(await takeKey(tx, tenantId, requestKey))) return await readAnswer(tx, tenantId, requestKey);
    const { status, made } = await act(tx);
    await keepAnswer(tx, tenantId, requestKey, { status, kept: keep(made) });
    return { kind: 'done', status, made };
  };
  try {
    if (isOperators) return await asOperator(db, tenantId, once);
    return await asTenant(db, tenantId, once, { keepsPlans: true });
  } catch (error) {
    if (error instanceof KeyInUseError) return { kind: 'keyInUse' };
    throw error;
  }
}

class KeyInUseError extends Error {}

/** Ends a wait for a lock, of the key and of all that the act locks. */
const LOCK_TIMEOUT_MS = 2_000;
const LOCK_NOT_AVAILABLE = '55P03';

/** Answers whether the key is this request's: an expired one is free, and one that is just being taken is waited for. */
async function takeKey(
  tx: Transaction<Ledger>,
  tenantId: string,
  { route, key, fingerprint }: RequestKey,
): Promise<boolean> {
  await sql`SELECT set_config('lock_timeout', ${`${LOCK_TIMEOUT_MS}`}, true)`.execute(tx);
  const taking = sql`
    INSERT INTO idempotency_keys AS k (tenant_id, route, key, fingerprint, expires_at)
    VALUES (${tenantId}, ${route}, ${key}, ${fingerprint}, now() + make_interval(hours => ${KEY_TTL_HOURS}))
    ON CONFLICT (tenant_id, route, key) DO UPDATE
      SET fingerprint = excluded.fingerprint, status = NULL, answer = NULL, expires_at = excluded.expires_at
      WHERE k.expires_at < now()
    RETURNING true`.execute(tx);
  const { rows } = await taking.catch((error: unknown) => {
    const isLocked = error instanceof Error && 'code' in error && error.code === LOCK_NOT_AVAILABLE;
    throw isLocked ? new KeyInUseError() : error;
  });
  return rows.length > 0;
}

/** Whoever did not get the key has locked its row, so the answer is there, and stays. */
async function readAnswer(
  tx: Transaction<Ledger>,
  tenantId: string,
  { route, key, fingerprint }: RequestKey,
): Promise<{ kind: 'replayed'; status: number; kept: unknown } | { kind: 'keyReused' }> {
  const { rows } = await sql<{ fingerprint: Buffer; status: number; answer: unknown }>`
    SELECT fingerprint, status, answer FROM idempotency_keys
    WHERE tenant_id = ${tenantId} AND route = ${route} AND key = ${key}`.execute(tx);
  const [row] = rows;
  if (!row) throw new Error('An idempotency key was neither taken nor found.');
  if (!row.fingerprint.equals(fingerprint)) return { kind: 'keyReused' };
  return { kind: 'replayed', status: row.status, kept: row.answer };
}

async function keepAnswer(
  tx: Transaction<Ledger>,
  tenantId: string,
  { route, key }: RequestKey,
  { status, kept }: { status: number; kept: unknown },
): Promise<void> {
  await sql`
    UPDATE idempotency_keys SET status = ${status}, answer = ${JSON.stringify(kept)}::json
    WHERE tenant_id = ${tenantId} AND route = ${route} AND key = ${key}`.execute(tx);
}

/**
 * Decides the status that all requests with the key of a job are answered with: `status`, unless one of them was answered
 * before. Answers what was decided.
 */
export async function settleStatus(
  db: Database,
  { tenantId, route, key, jobId }: { tenantId: string; route: string; key: string; jobId: string },
  status: number,
): Promise<number> {
  const { rows } = await asTenant(db, tenantId, (tx) =>
    sql<{ status: number }>`
      UPDATE idempotency_keys SET status = coalesce(status, ${status})
      WHERE tenant_id = ${tenantId} AND route = ${route} AND key = ${key} AND job_id = ${jobId}
      RETURNING status`.execute(tx),
  );
  return rows[0]?.status ?? status;
}

/** Finds the job that the very same request has made before, and the status that it was answered with. */
export function findKeyedJob(
  db: Database,
  tenantId: string,
  { route, key, fingerprint }: RequestKey,
): Promise<{ row: ShownJob; status: number | null } | undefined> {
  return asTenant(
    db,
    tenantId,
    async (tx) => {
      const { rows } = await sql<{ jobId: string; status: number | null }>`
      SELECT job_id AS "jobId", status FROM idempotency_keys
      WHERE tenant_id = ${tenantId} AND route = ${route} AND key = ${key} AND fingerprint = ${fingerprint}
        AND job_id IS NOT NULL`.execute(tx);
      const [found] = rows;
      const row = found && (await findJob(tx, tenantId, found.jobId));
      return row && { row, status: found.status };
    },
    { keepsPlans: true },
  );
}
