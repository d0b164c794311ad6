import { sql } from 'kysely';
import type { DispatchKey } from '../job/dispatch-key.ts';
import { type ChosenJob, chooseFairly, type InFlight, type ReadyJob } from '../job/fairness.ts';
import type { Database } from './connect.ts';
import { byPrimaryKey } from './unnest.ts';

/** A job that the ledger has given to the engine under this dispatch number. */
export interface DispatchedJob extends DispatchKey {
  type: string;
  traceparent: string | null;
  /** The build whose lane it is in; `null`: a dispatcher of the version before builds put it into the queue itself. */
  buildId: string | null;
}

/** The lane of a live build, and how many dispatched jobs may wait in it to be claimed. */
export interface LaneWindow {
  buildId: string;
  size: number;
  /** How many jobs of one tenant may wait in it or run from it; any number when left out. */
  mostPerTenant?: number | undefined;
}

/** How a turn left a lane. */
export interface LaneAfterTurn {
  buildId: string;
  /** How many jobs waited in it when the turn began. */
  waitingBefore: number;
  dispatched: DispatchedJob[];
  isFull: boolean;
}

/** What a dispatcher did at its turn, and what it saw of the turns of others. */
export interface DispatchTurn {
  /** The jobs it marked, in the order in which they are to run. */
  jobs: DispatchedJob[];
  /** Those jobs by lane, in the order in which the lanes were given. */
  lanes: LaneAfterTurn[];
  /**
   * Whether it pays to look again at once: a lane is full, so that jobs may have been left for want of room, jobs are
   * hidden behind others whose concurrency key is now at its limit, or the turn was another's.
   */
  moreToDo: boolean;
  /** Whether jobs were left because their tenant has its share: there may be room for them when one of its jobs ends. */
  heldBack: boolean;
  /** Whether there were jobs, and another dispatcher took them first. */
  lost: boolean;
  /** The queue's round as this turn leaves it; each turn that marks jobs counts it up. */
  round: number;
}

/**
 * Fills the windows of the queue's lanes with jobs that their builds take: those whose type the build has, and whose
 * payload its schema is not known to refuse. The caller adds the jobs that were marked to the engine once this has
 * committed; if it dies in between, the reconciler finds them missing.
 *
 * One round trip when there is nothing to choose, because one build is live, all that is ready has room, no tenant has
 * more than its share, and no concurrency key limits it; a second one marks what was chosen otherwise. No lock is held
 * in between. Dispatchers may race: each turn counts the queue's round up, and whoever looked in an older round marks
 * nothing.
 */
export async function dispatchJobs(
  db: Database,
  queue: string,
  windows: LaneWindow[],
): Promise<DispatchTurn> {
  const { round, inFlight, ready, everythingFits, marked, ...seen } = await beginTurn(db, queue, windows);
  const waiting = windows.map(({ buildId }) => inFlight.waitingIn.get(buildId) ?? 0);
  const rooms = windows.map(({ size }, lane) => Math.max(0, size - (waiting[lane] ?? 0)));
  const mostPerTenant = windows.map((window) => window.mostPerTenant);
  const { jobs: chosen, heldBack } = chooseFairly(ready, rooms, inFlight, mostPerTenant);
  const rows =
    everythingFits || chosen.length === 0 ? marked : await markDispatched(db, queue, round, windows, chosen);
  const rowOf = new Map(rows.map((row) => [row.id, row]));
  const jobs = chosen.flatMap(({ id }) => rowOf.get(id) ?? []);
  const lanes = windows.map(({ buildId }, lane): LaneAfterTurn => {
    const dispatched = jobs.filter((job) => job.buildId === buildId);
    const isFull = chosen.filter((job) => job.lane === lane).length >= (rooms[lane] ?? 0);
    return { buildId, waitingBefore: waiting[lane] ?? 0, dispatched, isFull };
  });
  const lost = chosen.length > 0 && rows.length === 0;
  const moreToDo = lost || chosen.length + heldBack < ready.length || lanes.some(({ isFull }) => isFull);
  const turn = { jobs, lanes, moreToDo, heldBack: seen.heldBack || heldBack > 0 };
  return { ...turn, lost, round: rows.length > 0 ? round + 1 : round };
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
  buildId: string | null;
  jobs: number;
}

interface TurnRow {
  round: string;
  inFlight: InFlightGroup[];
  ready: ReadyJob[];
  everythingFits: boolean;
  heldBack: boolean;
  marked: DispatchedJob[];
}

/**
 * Reads what is dispatched or running, which the windows and the workers' concurrency bound, and the head of every flow
 * that a lane with room takes, most urgent first; marks it when all of it may go.
 *
 * A flow is what the ready jobs of one tenant and type are that the same schemas refuse. Flows are found by skipping from
 * one to the next in the index (PostgreSQL wiki, "Loose indexscan"), so a million queued jobs cost no more than the first,
 * and those that no build takes, or only one that is busy, hide no others. Jobs whose concurrency key is at its limit are
 * passed over here, or a long row of them would hide the rest; so are those of a tenant that has its share of a lane.
 */
async function beginTurn(db: Database, queue: string, windows: LaneWindow[]) {
  const buildIds = windows.map(({ buildId }) => buildId);
  const sizes = windows.map(({ size }) => size);
  const shares = windows.map(({ mostPerTenant }) => mostPerTenant ?? null);
  const { rows } = await sql<TurnRow>`
    /* begin-turn */ WITH RECURSIVE in_flight AS MATERIALIZED (
      SELECT tenant_id, concurrency_key, waiting, build_id, count(*) AS jobs
      FROM (
        SELECT tenant_id, concurrency_key, true AS waiting, build_id FROM jobs
        WHERE queue = ${queue} AND status = 'queued' AND dispatched_at IS NOT NULL
        UNION ALL
        SELECT tenant_id, concurrency_key, false, build_id FROM jobs WHERE queue = ${queue} AND status = 'running'
      ) AS job
      GROUP BY tenant_id, concurrency_key, waiting, build_id
    ),
    used_keys AS MATERIALIZED (
      SELECT tenant_id, concurrency_key, sum(jobs) AS jobs FROM in_flight
      WHERE concurrency_key IS NOT NULL GROUP BY tenant_id, concurrency_key
    ),
    lanes AS MATERIALIZED (
      SELECT lane.no::int - 1 AS no, lane.build_id, lane.most_per_tenant, greatest(0, lane.size - coalesce(
        (SELECT sum(jobs) FROM in_flight WHERE waiting AND in_flight.build_id = lane.build_id), 0))::bigint AS room
      FROM unnest(${buildIds}::text[], ${sizes}::bigint[], ${shares}::bigint[])
        WITH ORDINALITY AS lane (build_id, size, most_per_tenant, no)
    ),
    at_share AS MATERIALIZED (
      SELECT in_flight.tenant_id, lanes.no FROM in_flight JOIN lanes ON lanes.build_id = in_flight.build_id
      GROUP BY in_flight.tenant_id, lanes.no, lanes.most_per_tenant
      HAVING sum(in_flight.jobs) >= lanes.most_per_tenant
    ),
    flows AS (
      (SELECT tenant_id, type, refused_by FROM jobs
       WHERE queue = ${queue} AND status = 'queued' AND dispatched_at IS NULL
       ORDER BY tenant_id, type, refused_by, priority, id LIMIT 1)
      UNION ALL
      SELECT later.* FROM flows CROSS JOIN LATERAL (
        SELECT j.tenant_id, j.type, j.refused_by FROM jobs j
        WHERE j.queue = ${queue} AND j.status = 'queued' AND j.dispatched_at IS NULL
          AND (j.tenant_id, j.type, j.refused_by) > (flows.tenant_id, flows.type, flows.refused_by)
        ORDER BY j.tenant_id, j.type, j.refused_by, j.priority, j.id LIMIT 1) AS later
    ),
    open_flows AS MATERIALIZED (
      SELECT flows.*, taken.lanes, taken.room FROM flows CROSS JOIN LATERAL (
        SELECT array_agg(lanes.no ORDER BY lanes.no) AS lanes, sum(lanes.room)::bigint AS room
        FROM lanes JOIN build_types t ON t.build_id = lanes.build_id
        WHERE lanes.room > 0 AND t.type = flows.type AND t.schema_id <> ALL (flows.refused_by)
          AND NOT EXISTS (
            SELECT FROM at_share WHERE at_share.tenant_id = flows.tenant_id AND at_share.no = lanes.no)) AS taken
      WHERE taken.room > 0
    ),
    ready AS MATERIALIZED (
      SELECT id, tenant_id, priority, concurrency_key, concurrency_limit, lanes FROM (
        SELECT head.*, flow.lanes, flow.room,
          row_number() OVER (PARTITION BY head.tenant_id, flow.lanes ORDER BY head.priority, head.id) AS place
        FROM open_flows AS flow CROSS JOIN LATERAL (
          SELECT j.id, j.tenant_id, j.priority, j.concurrency_key, j.concurrency_limit
          FROM jobs j
          WHERE j.queue = ${queue} AND j.status = 'queued' AND j.dispatched_at IS NULL
            AND j.tenant_id = flow.tenant_id AND j.type = flow.type AND j.refused_by = flow.refused_by
            AND (j.concurrency_key IS NULL OR j.concurrency_limit IS NULL OR NOT EXISTS (
              SELECT FROM used_keys used
              WHERE used.tenant_id = j.tenant_id AND used.concurrency_key = j.concurrency_key
                AND used.jobs >= j.concurrency_limit))
          ORDER BY j.priority, j.id
          LIMIT flow.room
        ) AS head
      ) AS placed
      WHERE place <= room
    ),
    before AS MATERIALIZED (
      SELECT coalesce((SELECT dispatch_round FROM queues WHERE name = ${queue}), 0) AS round
    ),
    above_share AS (
      SELECT tenant_id FROM (
        SELECT tenant_id, jobs, false AS is_ready FROM in_flight
        UNION ALL SELECT tenant_id, 1, true FROM ready) AS job
      GROUP BY tenant_id
      HAVING bool_or(is_ready) AND sum(jobs) > (SELECT min(most_per_tenant) FROM lanes)
    ),
    everything AS MATERIALIZED (
      SELECT count(*) <= (SELECT sum(room) FROM lanes) AND count(concurrency_limit) = 0
        AND (SELECT count(*) FROM lanes) = 1 AND NOT EXISTS (SELECT FROM above_share) AS fits, count(*) > 0 AS is_there
      FROM ready
    ),
    turn AS (
      INSERT INTO queues (name, dispatch_round) SELECT ${queue}, 1 FROM everything WHERE fits AND is_there
      ON CONFLICT (name) DO UPDATE SET dispatch_round = queues.dispatch_round + 1
        WHERE queues.dispatch_round = (SELECT round FROM before)
      RETURNING name
    ),
    marked AS (
      UPDATE jobs SET dispatched_at = now(), dispatch_no = dispatch_no + 1,
        build_id = (SELECT min(build_id) FROM lanes)
      FROM turn CROSS JOIN ready
      WHERE jobs.id = ready.id AND ${isReady}
      RETURNING jobs.id, jobs.dispatch_no, jobs.type, jobs.traceparent, jobs.build_id
    )
    SELECT (SELECT round FROM before) AS round, (SELECT fits FROM everything) AS "everythingFits",
      EXISTS (SELECT FROM flows JOIN at_share ON at_share.tenant_id = flows.tenant_id) AS "heldBack",
      (SELECT coalesce(json_agg(json_build_object('tenantId', tenant_id, 'concurrencyKey', concurrency_key,
         'waiting', waiting, 'buildId', build_id, 'jobs', jobs)), '[]') FROM in_flight) AS "inFlight",
      (SELECT coalesce(json_agg(json_build_object('id', id, 'tenantId', tenant_id, 'priority', priority,
         'concurrencyKey', concurrency_key, 'concurrencyLimit', concurrency_limit, 'lanes', lanes)
         ORDER BY priority, id), '[]') FROM ready) AS ready,
      (SELECT coalesce(json_agg(json_build_object('id', id, 'dispatchNo', dispatch_no, 'type', type,
         'traceparent', traceparent, 'buildId', build_id)), '[]') FROM marked) AS marked`.execute(db);
  const [row] = rows;
  if (!row) throw new Error('A turn answered no row.');
  return { ...row, round: Number(row.round), inFlight: sumInFlight(row.inFlight, buildIds) };
}

function sumInFlight(
  groups: InFlightGroup[],
  buildIds: string[],
): InFlight & { waitingIn: ReadonlyMap<string, number> } {
  const byTenant = new Map<string, number>();
  const byKey = new Map<string, number>();
  const byTenantAndLane = new Map<string, number>();
  const waitingIn = new Map<string, number>();
  for (const { tenantId, concurrencyKey, waiting, buildId, jobs } of groups) {
    if (waiting && buildId !== null) addTo(waitingIn, buildId, jobs);
    addTo(byTenant, tenantId, jobs);
    if (buildId !== null) addTo(byTenantAndLane, `${tenantId} ${buildIds.indexOf(buildId)}`, jobs);
    if (concurrencyKey !== null) addTo(byKey, `${tenantId} ${concurrencyKey}`, jobs);
  }
  return { byTenant, byKey, byTenantAndLane, waitingIn };
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
  windows: LaneWindow[],
  chosen: ChosenJob[],
): Promise<DispatchedJob[]> {
  const ids = chosen.map(({ id }) => id);
  const buildIds = chosen.map(({ lane }) => windows[lane]?.buildId);
  const { rows } = await sql<DispatchedJob>`
    /* mark-dispatched */ WITH turn AS (
      INSERT INTO queues (name, dispatch_round) VALUES (${queue}, 1)
      ON CONFLICT (name) DO UPDATE SET dispatch_round = queues.dispatch_round + 1
        WHERE queues.dispatch_round = ${round}::bigint
      RETURNING name
    )
    UPDATE jobs SET dispatched_at = now(), dispatch_no = dispatch_no + 1, build_id = chosen.build_id
    FROM turn CROSS JOIN unnest(${ids}::uuid[], ${buildIds}::text[]) AS chosen (id, build_id)
    WHERE jobs.id = chosen.id AND ${isReady}
    RETURNING jobs.id, jobs.dispatch_no AS "dispatchNo", jobs.type, jobs.traceparent,
      jobs.build_id AS "buildId"`.execute(db);
  return rows;
}
