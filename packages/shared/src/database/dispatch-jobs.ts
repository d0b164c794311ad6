import { sql } from 'kysely';
import { chooseFairly, type InFlight, type ReadyJob } from '../job/fairness.ts';
import type { Database } from './connect.ts';
import { byPrimaryKey, unnestBatch } from './unnest.ts';

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
 * reconciler finds them missing. `waitingBefore` jobs were in the window when the turn began.
 *
 * Takes two round trips and holds no lock between them. Dispatchers may race: each turn counts the queue's round up,
 * and whoever chose by an older round marks nothing. `moreToDo` says whether it pays to look again at once: jobs were
 * left for want of room, are hidden behind others whose concurrency key is now at its limit, or the turn was another's.
 */
export async function dispatchJobs(
  db: Database,
  queue: string,
  windowSize: number,
): Promise<{ jobs: DispatchedJob[]; waitingBefore: number; moreToDo: boolean }> {
  const { round, inFlight, ready } = await readQueue(db, queue, windowSize);
  const waitingBefore = inFlight.waiting;
  const free = windowSize - waitingBefore;
  if (free <= 0) return { jobs: [], waitingBefore, moreToDo: true };
  const chosen = chooseFairly(ready, free, inFlight);
  if (chosen.length === 0) return { jobs: [], waitingBefore, moreToDo: false };
  const jobs = await markDispatched(db, queue, round, chosen);
  const moreToDo = jobs.length === 0 || chosen.length === free || chosen.length < ready.length;
  return { jobs, waitingBefore, moreToDo };
}

interface InFlightGroup {
  tenantId: string;
  concurrencyKey: string | null;
  /** Whether these are in the engine, not yet claimed; the others are running. */
  waiting: boolean;
  jobs: number;
}

/**
 * Reads what is dispatched or running, which the window and the workers' concurrency bound, and the head of every
 * tenant's queue, most urgent first. Tenants are found by skipping from one to the next in the index (PostgreSQL wiki,
 * "Loose indexscan"), so a tenant's million queued jobs cost no more than its first. Jobs whose concurrency key is at
 * its limit are passed over here, or a long row of them would hide the rest.
 */
async function readQueue(db: Database, queue: string, windowSize: number) {
  const { rows } = await sql<{ round: string; inFlight: InFlightGroup[]; ready: ReadyJob[] }>`
    /* read-queue */ WITH RECURSIVE in_flight AS MATERIALIZED (
      SELECT tenant_id, concurrency_key, waiting, count(*) AS jobs
      FROM (
        SELECT tenant_id, concurrency_key, true AS waiting FROM jobs
        WHERE queue = ${queue} AND status = 'queued' AND dispatched_at IS NOT NULL
        UNION ALL
        SELECT tenant_id, concurrency_key, false FROM jobs WHERE queue = ${queue} AND status = 'running'
      ) AS job
      GROUP BY tenant_id, concurrency_key, waiting
    ),
    used_keys AS MATERIALIZED (
      SELECT tenant_id, concurrency_key, sum(jobs) AS jobs FROM in_flight
      WHERE concurrency_key IS NOT NULL GROUP BY tenant_id, concurrency_key
    ),
    tenants AS (
      (SELECT tenant_id FROM jobs WHERE queue = ${queue} AND status = 'queued' AND dispatched_at IS NULL
       ORDER BY tenant_id LIMIT 1)
      UNION ALL
      SELECT (SELECT j.tenant_id FROM jobs j
              WHERE j.queue = ${queue} AND j.status = 'queued' AND j.dispatched_at IS NULL
                AND j.tenant_id > tenants.tenant_id
              ORDER BY j.tenant_id LIMIT 1)
      FROM tenants WHERE tenants.tenant_id IS NOT NULL
    ),
    ready AS (
      SELECT head.* FROM tenants
      CROSS JOIN LATERAL (
        SELECT j.id, j.tenant_id, j.priority, j.concurrency_key, j.concurrency_limit
        FROM jobs j
        WHERE j.queue = ${queue} AND j.status = 'queued' AND j.dispatched_at IS NULL
          AND j.tenant_id = tenants.tenant_id
          AND (j.concurrency_key IS NULL OR j.concurrency_limit IS NULL OR NOT EXISTS (
            SELECT FROM used_keys used
            WHERE used.tenant_id = j.tenant_id AND used.concurrency_key = j.concurrency_key
              AND used.jobs >= j.concurrency_limit))
        ORDER BY j.priority, j.id
        LIMIT greatest(0, ${windowSize}::bigint - (SELECT coalesce(sum(jobs), 0) FROM in_flight WHERE waiting))
      ) AS head
    )
    SELECT coalesce((SELECT dispatch_round FROM queues WHERE name = ${queue}), 0) AS round,
      (SELECT coalesce(json_agg(json_build_object('tenantId', tenant_id, 'concurrencyKey', concurrency_key,
         'waiting', waiting, 'jobs', jobs)), '[]') FROM in_flight) AS "inFlight",
      (SELECT coalesce(json_agg(json_build_object('id', id, 'tenantId', tenant_id, 'priority', priority,
         'concurrencyKey', concurrency_key, 'concurrencyLimit', concurrency_limit) ORDER BY priority, id), '[]')
       FROM ready) AS ready`.execute(db);
  const [read = { round: '0', inFlight: [], ready: [] }] = rows;
  return { round: read.round, inFlight: sumInFlight(read.inFlight), ready: read.ready };
}

function sumInFlight(groups: InFlightGroup[]): InFlight & { waiting: number } {
  const inFlight = { waiting: 0, byTenant: new Map<string, number>(), byKey: new Map<string, number>() };
  for (const { tenantId, concurrencyKey, waiting, jobs } of groups) {
    if (waiting) inFlight.waiting += jobs;
    addTo(inFlight.byTenant, tenantId, jobs);
    if (concurrencyKey !== null) addTo(inFlight.byKey, `${tenantId} ${concurrencyKey}`, jobs);
  }
  return inFlight;
}

function addTo(counts: Map<string, number>, key: string, added: number): void {
  counts.set(key, (counts.get(key) ?? 0) + added);
}

const isReady = byPrimaryKey(sql`jobs.status = 'queued' AND jobs.dispatched_at IS NULL`);

/**
 * Takes the turn if the queue is still in the round that was read, and marks the chosen jobs, in their order. A job
 * that was canceled meanwhile is left alone. Whatever else happens between the two statements, but for another turn,
 * only makes room.
 */
async function markDispatched(
  db: Database,
  queue: string,
  round: string,
  chosen: string[],
): Promise<DispatchedJob[]> {
  const { rows } = await sql<DispatchedJob>`
    /* mark-dispatched */ WITH turn AS (
      INSERT INTO queues (name, dispatch_round) VALUES (${queue}, 1)
      ON CONFLICT (name) DO UPDATE SET dispatch_round = queues.dispatch_round + 1
        WHERE queues.dispatch_round = ${round}::bigint
      RETURNING name
    )
    UPDATE jobs SET dispatched_at = now(), dispatch_no = dispatch_no + 1
    FROM turn CROSS JOIN unnest(${chosen}::uuid[]) AS chosen (id)
    WHERE jobs.id = chosen.id AND ${isReady}
    RETURNING jobs.id, jobs.dispatch_no AS "dispatchNo", jobs.type, jobs.traceparent`.execute(db);
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
