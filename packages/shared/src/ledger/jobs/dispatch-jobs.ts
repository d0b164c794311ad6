import { sql } from 'kysely';
import { type ChosenJob, chooseFairly, type ReadyJob } from '../../core/fairness/fairness.ts';
import {
  addFlights,
  isHeldBack,
  type LaneWindow,
  mostOfShares,
  type QueuePicture,
  roomsOf,
  sumInFlight,
  usedKeys,
} from '../../core/fairness/queue-picture.ts';
import type { Database } from '../connection/connect.ts';
import { type BatchColumn, unnestBatch } from '../connection/unnest.ts';
import { beginTurn, type DispatchedJob, type MarkedJob, moveToFlight, type TurnLook } from './begin-turn.ts';
import { surveyQueue } from './survey-queue.ts';

/** How a turn left a lane. */
export interface LaneAfterTurn {
  buildId: string;
  /** How many jobs were in flight through it when the turn began. */
  inFlightBefore: number;
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
  /** What the dispatcher has seen of the queue, for its next turn. */
  picture: QueuePicture;
}

/**
 * Fills the windows of the queue's lanes with jobs that their builds take: those whose type the build has, and whose
 * payload its schema is not known to refuse. The caller adds the jobs that were marked to the engine once this has
 * committed; if it dies in between, the reconciler finds them missing.
 *
 * Whoever has had a turn before gives the picture of the queue that it left; without one the queue is read whole. One round
 * trip then, when there is nothing to choose, because one build is live, all that is ready has room, no tenant has
 * more than its share, and no concurrency key limits it; a second one marks what was chosen otherwise. No lock is held
 * in between. Dispatchers may race: each turn counts the queue's round up, and whoever looked in an older round marks
 * nothing.
 */
export async function dispatchJobs(
  db: Database,
  queue: string,
  windows: LaneWindow[],
  { quickTypes = [], picture }: { quickTypes?: readonly string[]; picture?: QueuePicture | undefined } = {},
): Promise<DispatchTurn> {
  const known = picture ?? (await surveyQueue(db, queue));
  const look = lookFor(known, windows, quickTypes);
  const seen = await beginTurn(db, queue, look);
  if (!seen.isPictureGood) return await dispatchJobs(db, queue, windows, { quickTypes });
  const flights = addFlights(known.inFlight, { landed: seen.landed });
  const inFlight = sumInFlight(flights, windows, quickTypes);
  const rooms = roomsOf(windows, inFlight);
  const { jobs: chosen, heldBack } = seen.isTaken
    ? { jobs: seen.headIds.map((id) => ({ id, lane: 0 })), heldBack: 0 }
    : chooseFairly(
        seen.heads,
        rooms,
        inFlight,
        windows.map(({ mostPerTenant }) => mostPerTenant),
      );
  // Whoever was first has had the turn while this one waited for it.
  const isLost = seen.isAllThatFits && !seen.isTaken && seen.round === known.round;
  const rows =
    seen.isTaken || isLost || chosen.length === 0
      ? seen.marked
      : await markDispatched(db, queue, seen.round, pick(chosen, seen.heads, windows));
  const jobs = inOrder(rows, chosen);
  const lanes = windows.map(({ buildId }, lane): LaneAfterTurn => {
    const dispatched = jobs.filter((job) => job.buildId === buildId);
    const isFull = chosen.filter((job) => job.lane === lane).length >= (rooms[lane] ?? 0);
    return { buildId, inFlightBefore: inFlight.byBuild.get(buildId) ?? 0, dispatched, isFull };
  });
  // Whoever takes a turn whose jobs are all canceled meanwhile has taken it all the same.
  const lost = chosen.length > 0 && rows.length === 0 && !seen.isTaken;
  const round = seen.round + (rows.length > 0 || seen.isTaken ? 1 : 0);
  const { epoch } = known;
  const { snapshot, seenAt, lines } = seen;
  return {
    jobs,
    lanes,
    moreToDo: lost || chosen.length + heldBack < seen.headIds.length || lanes.some(({ isFull }) => isFull),
    heldBack: heldBack > 0 || look.lines.some(({ isHeldBack }) => isHeldBack),
    lost,
    round,
    picture: { epoch, snapshot, seenAt, round, lines, inFlight: addFlights(flights, { begun: rows }) },
  };
}

function lookFor(picture: QueuePicture, windows: LaneWindow[], quickTypes: readonly string[]): TurnLook {
  // What has left flight meanwhile only leaves more to a tenant.
  const atMost = sumInFlight(picture.inFlight, windows, quickTypes);
  return {
    picture,
    lines: picture.lines.map((line) => ({
      ...line,
      isHeldBack: isHeldBack(line, windows, atMost, quickTypes),
    })),
    lanes: windows.map(({ buildId, size }) => ({ buildId, room: size - (atMost.byBuild.get(buildId) ?? 0) })),
    mostOfShares: mostOfShares(windows, atMost),
    usedKeys: usedKeys(picture.inFlight),
    quickTypes,
  };
}

function inOrder(marked: DispatchedJob[], chosen: ChosenJob[]): DispatchedJob[] {
  const jobOf = new Map(marked.map((job) => [job.id, job]));
  return chosen.flatMap(({ id }) => jobOf.get(id) ?? []);
}

/**
 * Takes the turn if the queue is still in the round that was read, and marks the chosen jobs. A job that was canceled
 * meanwhile is left alone. Whatever else happens between the two statements, but for another turn, only makes room.
 */
async function markDispatched(
  db: Database,
  queue: string,
  round: number,
  picked: PickedJob[],
): Promise<MarkedJob[]> {
  const { rows } = await sql<MarkedJob>`
    /* mark-dispatched */ WITH turn AS (
      INSERT INTO queues (name, dispatch_round) VALUES (${queue}, 1)
      ON CONFLICT (name) DO UPDATE SET dispatch_round = queues.dispatch_round + 1
        WHERE queues.dispatch_round = ${round}::bigint
      RETURNING name
    ),
    ${moveToFlight(sql`SELECT picked.tenant_id, picked.id, picked.build_id FROM turn CROSS JOIN ${unnestBatch('picked', PICKED_COLUMNS, picked)}`)}
    SELECT id, dispatch_no AS "dispatchNo", tenant_id AS "tenantId", type, concurrency_key AS "concurrencyKey", traceparent,
      build_id AS "buildId"
    FROM marked`.execute(db);
  return rows;
}

interface PickedJob {
  id: string;
  tenantId: string | undefined;
  buildId: string | undefined;
}

function pick(chosen: ChosenJob[], ready: ReadyJob[], windows: LaneWindow[]): PickedJob[] {
  const tenantOf = new Map(ready.map(({ id, tenantId }) => [id, tenantId]));
  return chosen.map(({ id, lane }) => ({ id, tenantId: tenantOf.get(id), buildId: windows[lane]?.buildId }));
}

const PICKED_COLUMNS: BatchColumn<PickedJob>[] = [
  { name: 'tenant_id', type: 'uuid', value: ({ tenantId }) => tenantId },
  { name: 'id', type: 'uuid', value: ({ id }) => id },
  { name: 'build_id', type: 'text', value: ({ buildId }) => buildId },
];
