import { sql } from 'kysely';
import type { DispatchKey } from '../job/dispatch-key.ts';
import { chooseFairly, type InFlight, type ReadyJob } from '../job/fairness.ts';
import type { Database } from './connect.ts';
import { byPrimaryKey } from './unnest.ts';

/** A job that the ledger has given to the engine under this dispatch number. */
export interface DispatchedJob extends DispatchKey {
  type: string;
  traceparent: string | null;
}

/** What a dispatcher did at its turn, and what it saw of the turns of others. */
export interface DispatchTurn {
  /** The jobs it marked, in the order in which they are to run. */
  jobs: DispatchedJob[];
  /** How many jobs were in the window when the turn began. */
  waitingBefore: number;
  /**
   * Whether it pays to look again at once: jobs were left for want of room, are hidden behind others whose concurrency
   * key is now at its limit, or the turn was another's.
   */
  moreToDo: boolean;
  /** Whether there were jobs, and another dispatcher took them first. */
  lost: boolean;
  /** The queue's round as this turn leaves it; each turn that marks jobs counts it up. */
  round: number;
}

/**
 * Fills the queue's window up to `windowSize` jobs that are in the engine but not yet claimed. The caller adds the jobs
 * that were marked to the engine once this has committed; if it dies in between, the reconciler finds them missing.
 *
 * One round trip when there is nothing to choose, because all that is ready has room and no concurrency key limits it; a
 * second one marks what was chosen otherwise. No lock is held in between. Dispatchers may race: each turn counts the
 * queue's round up, and whoever looked in an older round marks nothing.
 */
export async function dispatchJobs(db: Database, queue: string, windowSize: number): Promise<DispatchTurn> {
  const { round, inFlight, ready, everythingFits, marked } = await beginTurn(db, queue, windowSize);
  const nothing = { jobs: [], waitingBefore: inFlight.waiting, lost: false, round };
  const free = windowSize - inFlight.waiting;
  if (free <= 0) return { ...nothing, moreToDo: true };
  const chosen = chooseFairly(ready, free, inFlight);
  if (chosen.length === 0) return { ...nothing, moreToDo: false };
  const rows = everythingFits ? marked : await markDispatched(db, queue, round, chosen);
  if (rows.length === 0) return { ...nothing, moreToDo: true, lost: true };
  const rowOf = new Map(rows.map((row) => [row.id, row]));
  return {
    jobs: chosen.flatMap((id) => rowOf.get(id) ?? []),
    waitingBefore: inFlight.waiting,
    moreToDo: chosen.length === free || chosen.length < ready.length,
    lost: false,
    round: round + 1,
  };
}

/** Reads the round that the queue's dispatchers are in. */
export async function readDispatchRound(db: Database, queue: string): Promise<number> {
  const { rows } = await sql<{ round: string }>`
    /* read-dispatch-round */ SELECT dispatch_round AS round FROM queues WHERE name = ${queue}`.execute(db);
  return Number(rows[0]?.round ?? 0);
}

interface InFlightGroup {
  tenantId: string;
  concurrencyKey: string | null;
  /** Whether these are in the engine, not yet claimed; the others are running. */
  waiting: boolean;
  jobs: number;
}

interface TurnRow {
  round: string;
  inFlight: InFlightGroup[];
  ready: ReadyJob[];
  everythingFits: boolean;
  marked: DispatchedJob[];
}

/**
 * Reads what is dispatched or running, which the window and the workers' concurrency bound, and the head of every
 * tenant's queue, most urgent first; marks it when all of it may go. Tenants are found by skipping from one to the next
 * in the index (PostgreSQL wiki, "Loose indexscan"), so a tenant's million queued jobs cost no more than its first. Jobs
 * whose concurrency key is at its limit are passed over here, or a long row of them would hide the rest.
 */
async function beginTurn(db: Database, queue: string, windowSize: number) {
  const { rows } = await sql<TurnRow>`
    /* begin-turn */ WITH RECURSIVE in_flight AS MATERIALIZED (
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
    room AS MATERIALIZED (
      SELECT greatest(0, ${windowSize}::bigint - coalesce(sum(jobs) FILTER (WHERE waiting), 0)) AS free FROM in_flight
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
        LIMIT (SELECT free FROM room)
      ) AS head
    ),
    before AS MATERIALIZED (
      SELECT coalesce((SELECT dispatch_round FROM queues WHERE name = ${queue}), 0) AS round
    ),
    everything AS MATERIALIZED (
      SELECT count(*) <= (SELECT free FROM room) AND count(concurrency_limit) = 0 AS fits, count(*) > 0 AS is_there
      FROM ready
    ),
    turn AS (
      INSERT INTO queues (name, dispatch_round) SELECT ${queue}, 1 FROM everything WHERE fits AND is_there
      ON CONFLICT (name) DO UPDATE SET dispatch_round = queues.dispatch_round + 1
        WHERE queues.dispatch_round = (SELECT round FROM before)
      RETURNING name
    ),
    marked AS (
      UPDATE jobs SET dispatched_at = now(), dispatch_no = dispatch_no + 1
      FROM turn CROSS JOIN ready
      WHERE jobs.id = ready.id AND ${isReady}
      RETURNING jobs.id, jobs.dispatch_no, jobs.type, jobs.traceparent
    )
    SELECT (SELECT round FROM before) AS round, (SELECT fits FROM everything) AS "everythingFits",
      (SELECT coalesce(json_agg(json_build_object('tenantId', tenant_id, 'concurrencyKey', concurrency_key,
         'waiting', waiting, 'jobs', jobs)), '[]') FROM in_flight) AS "inFlight",
      (SELECT coalesce(json_agg(json_build_object('id', id, 'tenantId', tenant_id, 'priority', priority,
         'concurrencyKey', concurrency_key, 'concurrencyLimit', concurrency_limit) ORDER BY priority, id), '[]')
       FROM ready) AS ready,
      (SELECT coalesce(json_agg(json_build_object('id', id, 'dispatchNo', dispatch_no, 'type', type,
         'traceparent', traceparent)), '[]') FROM marked) AS marked`.execute(db);
  const [row] = rows;
  if (!row) throw new Error('A turn answered no row.');
  return { ...row, round: Number(row.round), inFlight: sumInFlight(row.inFlight) };
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
 * Takes the turn if the queue is still in the round that was read, and marks the chosen jobs. A job that was canceled
 * meanwhile is left alone. Whatever else happens between the two statements, but for another turn, only makes room.
 */
async function markDispatched(
  db: Database,
  queue: string,
  round: number,
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
  return rows;
}
