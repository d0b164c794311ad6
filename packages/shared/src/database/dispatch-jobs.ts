import { sql, type Transaction } from 'kysely';
import { chooseFairly, type InFlight, type ReadyJob } from '../job/fairness.ts';
import type { Database } from './connect.ts';
import type { Ledger } from './tables.ts';
import { unnestBatch } from './unnest.ts';

/** A job that the ledger has given to the engine under this dispatch number. */
export interface DispatchedJob {
  id: string;
  dispatchNo: number;
  type: string;
  traceparent: string | null;
}

/** Makes scheduled and retrying jobs queued whose time has come; answers the queues that got work. */
export async function queueDueJobs(db: Database, limit: number): Promise<string[]> {
  const { rows } = await sql<{ queue: string }>`
    UPDATE jobs SET status = 'queued', version = version + 1
    WHERE id IN (
      SELECT id FROM jobs
      WHERE status IN ('scheduled', 'retrying') AND run_at <= now()
      ORDER BY run_at LIMIT ${limit}
      FOR UPDATE SKIP LOCKED)
    RETURNING queue`.execute(db);
  return [...new Set(rows.map((row) => row.queue))];
}

/** Tells in how many milliseconds the next scheduled or retrying job becomes due; `undefined` when none waits. */
export async function nextDueInMs(db: Database): Promise<number | undefined> {
  const { rows } = await sql<{ due_in_ms: number | null }>`
    SELECT (extract(epoch FROM min(run_at) - now()) * 1000)::float8 AS due_in_ms
    FROM jobs WHERE status IN ('scheduled', 'retrying')`.execute(db);
  return rows[0]?.due_in_ms ?? undefined;
}

/**
 * Fills the queue's window up to `windowSize` jobs that are in the engine but not yet claimed, and answers the
 * jobs it marked; the caller adds them to the engine once this has committed. If the caller dies in between, the
 * reconciler finds them missing.
 *
 * One dispatcher at a time does this for a queue, under an advisory lock that ends with the transaction; another
 * one answers with nothing. `moreToDo` says whether jobs were left for want of room, or hidden behind others whose
 * concurrency key is now at its limit.
 */
export function dispatchJobs(
  db: Database,
  queue: string,
  windowSize: number,
): Promise<{ jobs: DispatchedJob[]; moreToDo: boolean }> {
  return db.transaction().execute(async (tx) => {
    if (!(await lockQueue(tx, queue))) return { jobs: [], moreToDo: false };
    const inFlight = await readInFlight(tx, queue);
    const free = windowSize - inFlight.waiting;
    if (free <= 0) return { jobs: [], moreToDo: true };
    const ready = await readReadyJobs(tx, queue, free, inFlight);
    const chosen = chooseFairly(ready, free, inFlight);
    if (chosen.length === 0) return { jobs: [], moreToDo: false };
    const moreToDo = chosen.length === free || chosen.length < ready.length;
    return { jobs: await markDispatched(tx, chosen), moreToDo };
  });
}

async function lockQueue(tx: Transaction<Ledger>, queue: string): Promise<boolean> {
  const { rows } = await sql<{ locked: boolean }>`
    SELECT pg_try_advisory_xact_lock(hashtextextended('accepted.dispatch.' || ${queue}, 0)) AS locked`.execute(
    tx,
  );
  return rows[0]?.locked ?? false;
}

/** Counts what is dispatched or running; bounded by the window and the workers' concurrency, not by the backlog. */
async function readInFlight(tx: Transaction<Ledger>, queue: string): Promise<InFlight & { waiting: number }> {
  const { rows } = await sql<{
    tenant_id: string;
    concurrency_key: string | null;
    waiting: boolean;
    jobs: number;
  }>`
    SELECT tenant_id, concurrency_key, waiting, count(*)::int AS jobs
    FROM (
      SELECT tenant_id, concurrency_key, true AS waiting FROM jobs
      WHERE queue = ${queue} AND status = 'queued' AND dispatched_at IS NOT NULL
      UNION ALL
      SELECT tenant_id, concurrency_key, false FROM jobs WHERE queue = ${queue} AND status = 'running'
    ) AS in_flight
    GROUP BY tenant_id, concurrency_key, waiting`.execute(tx);
  const inFlight = { waiting: 0, byTenant: new Map<string, number>(), byKey: new Map<string, number>() };
  for (const row of rows) {
    if (row.waiting) inFlight.waiting += row.jobs;
    addTo(inFlight.byTenant, row.tenant_id, row.jobs);
    if (row.concurrency_key !== null)
      addTo(inFlight.byKey, `${row.tenant_id} ${row.concurrency_key}`, row.jobs);
  }
  return inFlight;
}

function addTo(counts: Map<string, number>, key: string, added: number): void {
  counts.set(key, (counts.get(key) ?? 0) + added);
}

/**
 * Reads the head of every tenant's queue, most urgent first. Tenants are found by skipping from one to the next in
 * the index (PostgreSQL wiki, "Loose indexscan"), so a tenant's million queued jobs cost no more than its first.
 * Jobs whose concurrency key is at its limit are passed over here, or a long row of them would hide the rest.
 */
async function readReadyJobs(
  tx: Transaction<Ledger>,
  queue: string,
  limit: number,
  inFlight: InFlight,
): Promise<ReadyJob[]> {
  const usedKeys = [...inFlight.byKey].map(([key, jobs]) => ({ key, jobs }));
  const { rows } = await sql<ReadyJob>`
    WITH RECURSIVE tenants AS (
      (SELECT tenant_id FROM jobs WHERE queue = ${queue} AND status = 'queued' AND dispatched_at IS NULL
       ORDER BY tenant_id LIMIT 1)
      UNION ALL
      SELECT (SELECT j.tenant_id FROM jobs j
              WHERE j.queue = ${queue} AND j.status = 'queued' AND j.dispatched_at IS NULL
                AND j.tenant_id > tenants.tenant_id
              ORDER BY j.tenant_id LIMIT 1)
      FROM tenants WHERE tenants.tenant_id IS NOT NULL
    )
    SELECT head.* FROM tenants
    CROSS JOIN LATERAL (
      SELECT j.id, j.tenant_id AS "tenantId", j.priority, j.concurrency_key AS "concurrencyKey",
             j.concurrency_limit AS "concurrencyLimit"
      FROM jobs j
      WHERE j.queue = ${queue} AND j.status = 'queued' AND j.dispatched_at IS NULL
        AND j.tenant_id = tenants.tenant_id
        AND (j.concurrency_key IS NULL OR j.concurrency_limit IS NULL OR NOT EXISTS (
          SELECT FROM ${unnestBatch('used', USED_KEY_COLUMNS, usedKeys)}
          WHERE used.key = j.tenant_id || ' ' || j.concurrency_key AND used.jobs >= j.concurrency_limit))
      ORDER BY j.priority, j.id
      LIMIT ${limit}
    ) AS head`.execute(tx);
  return rows;
}

const USED_KEY_COLUMNS = [
  { name: 'key', type: 'text', value: (used: { key: string }) => used.key },
  { name: 'jobs', type: 'integer', value: (used: { jobs: number }) => used.jobs },
];

/** Guarded by status, so that a job that was just canceled is left alone. Keeps the chosen order. */
async function markDispatched(tx: Transaction<Ledger>, chosen: string[]): Promise<DispatchedJob[]> {
  const rows = await tx
    .updateTable('jobs')
    .set((eb) => ({ dispatched_at: sql`now()`, dispatch_no: eb('dispatch_no', '+', 1) }))
    .where('id', '=', sql<string>`ANY(${chosen}::uuid[])`)
    .where('status', '=', 'queued')
    .where('dispatched_at', 'is', null)
    .returning(['id', 'dispatch_no as dispatchNo', 'type', 'traceparent'])
    .execute();
  const byId = new Map(rows.map((row) => [row.id, row]));
  return chosen.flatMap((id) => byId.get(id) ?? []);
}

/** Reads the jobs that have waited in the engine for longer than `olderThanMs` without being claimed. */
export async function listUnclaimed(
  db: Database,
  queue: string,
  olderThanMs: number,
): Promise<DispatchedJob[]> {
  return db
    .selectFrom('jobs')
    .select(['id', 'dispatch_no as dispatchNo', 'type', 'traceparent'])
    .where('queue', '=', queue)
    .where('status', '=', 'queued')
    .where('dispatched_at', '<=', sql<Date>`now() - ${olderThanMs} * interval '1 ms'`)
    .execute();
}

/** Takes jobs back that the engine no longer has: they are ready again, and the old dispatch claims nothing more. */
export async function takeBack(db: Database, jobs: DispatchedJob[]): Promise<number> {
  if (jobs.length === 0) return 0;
  const { numAffectedRows } = await sql`
    UPDATE jobs SET dispatched_at = NULL
    FROM ${unnestBatch('lost', DISPATCHED_COLUMNS, jobs)}
    WHERE jobs.id = lost.id AND jobs.dispatch_no = lost.dispatch_no
      AND jobs.status = 'queued' AND jobs.dispatched_at IS NOT NULL`.execute(db);
  return Number(numAffectedRows ?? 0n);
}

const DISPATCHED_COLUMNS = [
  { name: 'id', type: 'uuid', value: (job: DispatchedJob) => job.id },
  { name: 'dispatch_no', type: 'integer', value: (job: DispatchedJob) => job.dispatchNo },
];
