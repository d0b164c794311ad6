import { type ChosenJobs, chooseJobs } from '../../core/fairness/choose-jobs.ts';
import { gateOf } from '../../core/fairness/gates.ts';
import type { Line } from '../../core/fairness/queue-lines.ts';
import { groupByLanes, hear, type LaneWindow, type QueuePicture } from '../../core/fairness/queue-picture.ts';
import { mostAtOnce } from '../../core/fairness/tenant-share.ts';
import type { Database } from '../connection/connect.ts';
import { listTakenTypes } from '../workers/builds.ts';
import { type AtOnce, type HeardTurn, hearQueue } from './hear-queue.ts';
import { surveyQueue } from './survey-queue.ts';
import {
  type DispatchedJob,
  type FoundJobs,
  type MarkedJob,
  type TakenJobs,
  type TypeLimit,
  takeJobs,
  takeKeyedJobs,
} from './take-jobs.ts';

/** How a turn left a lane. */
export interface LaneAfterTurn {
  buildId: string;
  /** How many jobs were in flight through it when the turn began. */
  inFlightBefore: number;
  dispatched: MarkedJob[];
  /** Those of them that go before what is in the lane already. */
  ahead: ReadonlySet<DispatchedJob>;
  isFull: boolean;
}

/** What a dispatcher did at its turn. */
export interface DispatchTurn {
  /** The jobs it marked, in the order in which they are to run. */
  jobs: MarkedJob[];
  /** Those jobs by lane, in the order in which the lanes were given. */
  lanes: LaneAfterTurn[];
  /** Whether it pays to look again at once: jobs were left for want of room, or for another look, or the turn was another's. */
  moreToDo: boolean;
  /** Whether jobs were left because their tenant has its share: there may be room for them when one of its jobs ends. */
  heldBack: boolean;
  /** Whether another dispatcher has had a turn first: then the picture is worth nothing. */
  lost: boolean;
  /** The queue's round as this turn leaves it; each turn that takes jobs counts it up. */
  round: number;
  /** What the dispatcher knows of the queue, for its next turn. A turn that fails leaves it unfit for use. */
  picture: QueuePicture;
}

/** What a turn goes by beside the picture. */
export interface TurnRules {
  quickTypes: readonly string[];
  /** The limits of keys that are in force; of a type that is not among them, that of the job holds. */
  limits: readonly TypeLimit[];
  /** Of tenants whose weight is not 1. */
  weights: ReadonlyMap<string, number>;
}

const NO_RULES: TurnRules = { quickTypes: [], limits: [], weights: new Map() };

/**
 * Fills the windows of the queue's lanes with jobs that their builds take: those whose type the build has, and whose
 * payload its schema is not known to refuse. The caller adds the jobs that were marked to the engine once this has
 * committed; if it dies in between, the reconciler finds them missing.
 *
 * Whoever has had a turn before gives the picture of the queue that it left; without one the queue is read whole. First what was
 * told since is heard: jobs that come to an idle queue are taken by that statement. Then jobs are chosen in the fair order, and
 * their lines asked for so many; those with keys by a statement of their own, which sees to their slots. No lock is held
 * in between. Dispatchers may race: each turn counts the queue's round up, and whoever looked in an older round marks nothing.
 */
export async function dispatchJobs(
  db: Database,
  queue: string,
  windows: LaneWindow[],
  { picture, ...given }: Partial<TurnRules> & { picture?: QueuePicture | undefined } = {},
): Promise<DispatchTurn> {
  const rules = { ...NO_RULES, ...given };
  const { quickTypes, weights } = rules;
  const known = picture ?? (await surveyQueue(db, queue));
  known.order.weigh(weights);
  await learnBuilds(db, known, windows);
  known.lanes = groupByLanes(known, windows);
  const heard = await hearQueue(db, queue, known, atOnce(known, windows, quickTypes));
  if (!heard.isPictureGood) return await dispatchJobs(db, queue, windows, given);
  hear(known, heard.isTaken ? { ...heard, arrivals: [] } : heard);
  const inFlightBefore = windows.map(({ buildId }) => known.flights.through(buildId));
  const turn = heard.isTaken
    ? takenAtOnce(known, heard)
    : await takeTurn(db, queue, known, { ...rules, windows });
  const isLeft = !known.order.isEmpty();
  const lanes = windows.map(({ buildId, size }, lane): LaneAfterTurn => {
    const dispatched = turn.jobs.filter((job) => job.buildId === buildId);
    const isFull = isLeft && known.flights.through(buildId) >= size;
    const ahead = known.overtaking.begin(buildId, size, dispatched);
    return { buildId, inFlightBefore: inFlightBefore[lane] ?? 0, dispatched, ahead, isFull };
  });
  const { round } = known;
  return {
    ...turn,
    lanes,
    moreToDo: turn.moreToDo || lanes.some(({ isFull }) => isFull),
    round,
    picture: known,
  };
}

async function learnBuilds(db: Database, { builds }: QueuePicture, windows: LaneWindow[]): Promise<void> {
  const unknown = windows.filter(({ buildId }) => !builds.has(buildId)).map(({ buildId }) => buildId);
  if (unknown.length === 0) return;
  for (const [buildId, types] of await listTakenTypes(db, unknown)) builds.set(buildId, types);
}

/** Nothing goes at once that others have waited for, and nothing of which there is a choice. */
function atOnce(picture: QueuePicture, windows: LaneWindow[], quickTypes: readonly string[]): AtOnce {
  const [window, ...others] = windows;
  if (!window || others.length > 0 || !picture.order.isEmpty()) return { jobs: 0, buildId: null, types: [] };
  const { buildId, size } = window;
  const room = size - picture.flights.through(buildId);
  const most = mostAtOnce(window.mostPerTenant, () => picture.flights.most(buildId, quickTypes));
  const types = [...(picture.builds.get(buildId)?.keys() ?? [])];
  return { jobs: Math.max(0, Math.min(room, most)), buildId, types };
}

type Taken = Pick<DispatchTurn, 'jobs' | 'moreToDo' | 'heldBack' | 'lost'>;

function takenAtOnce(picture: QueuePicture, { takenIds, marked, round }: HeardTurn): Taken {
  picture.round = round + 1;
  for (const job of marked) {
    const chargedMs = picture.times.expected(job);
    picture.order.charge(job.tenantId, chargedMs);
    beginFlight(picture, job, chargedMs);
  }
  const jobOf = new Map(marked.map((job) => [job.id, job]));
  const jobs = takenIds.flatMap((id) => jobOf.get(id) ?? []);
  return { jobs, moreToDo: false, heldBack: false, lost: false };
}

function beginFlight(
  { flights }: QueuePicture,
  { tenantId, type, concurrencyKey, buildId }: MarkedJob,
  chargedMs: number,
): void {
  flights.begin({ tenantId, type, concurrencyKey, buildId, jobs: 1 }, chargedMs);
}

async function takeTurn(
  db: Database,
  queue: string,
  picture: QueuePicture,
  { windows, quickTypes, limits }: Pick<TurnRules, 'quickTypes' | 'limits'> & { windows: LaneWindow[] },
): Promise<Taken> {
  const choice = chooseJobs(picture, windows, quickTypes);
  const turn: OpenTurn = { picture, heldBack: choice.heldBack, places: new Map(), jobs: [], isShort: false };
  const asked = (isKeyed: boolean) => choice.lines.filter(({ line }) => line.isKeyed === isKeyed);
  const inRound = (chosen: ChosenJobs[]) => ({
    queue,
    round: picture.round,
    lines: askedOf(chosen, windows),
  });
  const plain = asked(false);
  if (plain.length > 0 && !follow(turn, plain, await takeJobs(db, inRound(plain)))) return lostTurn(turn);
  const keyed = asked(true);
  if (keyed.length > 0) {
    const taken = await takeKeyedJobs(db, { ...inRound(keyed), limits });
    if (!follow(turn, keyed, taken)) return lostTurn(turn);
    for (const placed of taken.blocked)
      picture.lines.add(placed, { placedBy: BigInt(placed.placedBy), jobs: placed.jobs ?? 0 });
    for (const { tenantId, concurrencyKey, isHeldElsewhere } of taken.full)
      picture.lines.gates.close(gateOf.key(tenantId, concurrencyKey), isHeldElsewhere);
  }
  const jobs = turn.jobs.sort((one, other) => placeOf(turn, one) - placeOf(turn, other));
  return {
    jobs,
    moreToDo: turn.isShort && !picture.order.isEmpty(),
    heldBack: turn.heldBack.size > 0,
    lost: false,
  };
}

/** A turn that is under way. */
interface OpenTurn {
  picture: QueuePicture;
  heldBack: Set<Line>;
  /** Of jobs that go, in which order they run. */
  places: Map<string, number>;
  jobs: MarkedJob[];
  /** Whether fewer go than were chosen: others may have their room. */
  isShort: boolean;
}

const placeOf = ({ places }: OpenTurn, { id }: DispatchedJob) => places.get(id) ?? 0;

function askedOf(chosen: ChosenJobs[], windows: LaneWindow[]) {
  return chosen.map(({ line, lanes }) => ({
    line,
    builds: lanes.map((lane) => windows[lane]?.buildId ?? ''),
  }));
}

/** Whoever lost a turn may have taken a part of it before: of that part the jobs are its own. */
function lostTurn({ jobs }: OpenTurn): Taken {
  return { jobs, moreToDo: true, heldBack: false, lost: true };
}

/** Brings the picture up to date with what was taken; answers whether anything was. */
function follow(turn: OpenTurn, chosen: ChosenJobs[], { isTaken, found, marked }: TakenJobs): boolean {
  if (!isTaken) return false;
  const { picture } = turn;
  picture.round += 1;
  const foundOf = new Map(found.map((one) => [one.no, one]));
  for (const [no, asked] of chosen.entries()) followLine(turn, asked, foundOf.get(no));
  for (const job of marked) beginFlight(picture, job, picture.times.expected(job));
  turn.jobs.push(...marked);
  return true;
}

function followLine(turn: OpenTurn, { line, places }: ChosenJobs, found: FoundJobs | undefined): void {
  const { order, lines, times } = turn.picture;
  const ids = found?.ids ?? [];
  for (const [index, id] of ids.entries()) turn.places.set(id, places[index] ?? 0);
  if (ids.length < places.length) {
    turn.isShort = true;
    order.correct(line.tenantId, (ids.length - places.length) * times.expected(line));
  }
  if (!found || found.isEmpty) {
    lines.remove(line);
    turn.heldBack.delete(line);
  } else lines.advance(line, found.left, BigInt(found.placedBy));
}
