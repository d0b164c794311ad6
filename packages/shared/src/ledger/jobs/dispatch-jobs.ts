import {
  type ChosenJobs,
  chooseJobs,
  isAnyoneNext,
  isSlowHeldBack,
  limitedTypesThatWait,
} from '../../core/fairness/choose-jobs.ts';
import type { Landing } from '../../core/fairness/flights.ts';
import { gateOf, typeOfGate } from '../../core/fairness/gates.ts';
import type { Line } from '../../core/fairness/queue-lines.ts';
import {
  groupLines,
  hear,
  judgeTypes,
  type LaneWindow,
  type QueuePicture,
  takeOff,
} from '../../core/fairness/queue-picture.ts';
import { mostAtOnce } from '../../core/fairness/tenant-share.ts';
import type { Database } from '../connection/connect.ts';
import { listTakenTypes } from '../workers/builds.ts';
import { type AtOnce, type HeardTurn, hearQueue } from './hear-queue.ts';
import { knownBefore } from './known-before.ts';
import { surveyQueue } from './survey-queue.ts';
import {
  type DispatchedJob,
  type FoundJobs,
  type Limits,
  type MarkedJob,
  type TakenJobs,
  takeJobs,
  takeLimitedJobs,
} from './take-jobs.ts';
import { NO_RULES, type TurnRules } from './turn-rules.ts';

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
  /** Whether jobs were left because their tenant has its share, or something its limit: there may be room when a job ends. */
  heldBack: boolean;
  /** Whether any of them wait for slow handlers to end. */
  isSlowHeldBack: boolean;
  /** The types of which jobs were left that are limited, by operators or as they have become slow. */
  waitingTypes: ReadonlySet<string>;
  /** What left flight since the turn before. */
  landings: readonly Landing[];
  /** Whether another dispatcher has had a turn first: then the picture is worth nothing. */
  lost: boolean;
  /** Whether jobs wait, and by some rate none more may be started just now. */
  isRateReached: boolean;
  /** The queue's round as this turn leaves it; each turn that takes jobs counts it up. */
  round: number;
  /** What the dispatcher knows of the queue, for its next turn. A turn that fails leaves it unfit for use. */
  picture: QueuePicture;
}

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
  const known = picture ?? (await surveyQueue(db, queue));
  known.order.weigh(rules.weights);
  known.lines.gates.pause(rules.paused);
  await learnBuilds(db, known, windows);
  known.adaptiveLimits = rules.adaptiveLimits;
  const limitedTypes = limitedTypesOf(rules);
  groupLines(known, windows, limitedTypes);
  const heard = await hearQueue(db, queue, known, atOnce(known, windows, rules));
  if (!heard.isPictureGood) return await dispatchJobs(db, queue, windows, given);
  hear(known, heard.isTaken ? { ...heard, arrivals: [] } : heard);
  judgeTypes(known, rules.slowTypes);
  groupLines(known, windows, limitedTypes);
  const inFlightBefore = windows.map(({ buildId }) => known.flights.through(buildId));
  const turn = heard.isTaken
    ? takenAtOnce(known, heard)
    : await takeTurn(db, queue, known, { ...rules, windows });
  const isLeft = !known.order.isEmpty();
  const lanes = windows.map(({ buildId, size }, lane): LaneAfterTurn => {
    const dispatched = turn.jobs.filter((job) => job.buildId === buildId);
    const isFull = isLeft && known.flights.through(buildId) >= size;
    const ahead = known.overtaking.begin({ buildId, size, weights: rules.weights }, dispatched);
    return { buildId, inFlightBefore: inFlightBefore[lane] ?? 0, dispatched, ahead, isFull };
  });
  const { round } = known;
  return {
    ...turn,
    lanes,
    landings: heard.landings,
    waitingTypes: limitedTypesThatWait(known),
    moreToDo: turn.moreToDo || lanes.some(({ isFull }) => isFull),
    round,
    picture: known,
  };
}

/** Those that may find no room: by how many of them are in flight, or were started. */
function limitedTypesOf({
  limits,
  adaptiveLimits,
  rooms,
}: Pick<TurnRules, 'limits' | 'adaptiveLimits' | 'rooms'>): string[] {
  const rated = [...rooms.keys()].flatMap((gate) => typeOfGate(gate) ?? []);
  const types = [...limits.type.map(({ name }) => name), ...adaptiveLimits.keys(), ...rated];
  return [...new Set(types)].sort();
}

async function learnBuilds(db: Database, { builds }: QueuePicture, windows: LaneWindow[]): Promise<void> {
  const unknown = windows.filter(({ buildId }) => !builds.has(buildId)).map(({ buildId }) => buildId);
  if (unknown.length === 0) return;
  for (const [buildId, types] of await listTakenTypes(db, unknown)) builds.set(buildId, types);
}

/** Nothing goes at once that others have waited for, and nothing of which there is a choice. */
function atOnce(
  picture: QueuePicture,
  windows: LaneWindow[],
  { limits, adaptiveLimits, paused, rooms, ...rules }: TurnRules,
): AtOnce {
  const [window, ...others] = windows;
  const isPaused = paused.has(gateOf.queue());
  if (!window || others.length > 0 || isPaused || isAnyoneNext(picture, windows))
    return { jobs: 0, buildId: null, types: [] };
  const { buildId, size } = window;
  const { flights, quickTypes } = picture;
  // Which of the types comes is not known yet.
  const mostSlow = (window.mostSlow ?? size) - flights.slowThrough(buildId, quickTypes);
  const room = Math.min(size - flights.through(buildId), mostSlow);
  const most = mostAtOnce(window.mostPerTenant, () => flights.most(buildId, quickTypes));
  const limitedTypes = limitedTypesOf({ limits, adaptiveLimits, rooms });
  const isFree = (type: string) => !paused.has(gateOf.type(type)) && !limitedTypes.includes(type);
  const types = [...(picture.builds.get(buildId)?.keys() ?? [])].filter(isFree);
  return { jobs: Math.max(0, Math.min(room, most, mostOf(picture, { ...rules, rooms }))), buildId, types };
}

/** How many jobs more may go by the limit and the rate of the queue. */
function mostOf(
  { flights }: QueuePicture,
  { queueLimit, rooms }: Pick<TurnRules, 'queueLimit' | 'rooms'>,
): number {
  const byRate = rooms.get(gateOf.queue()) ?? Number.POSITIVE_INFINITY;
  return Math.min(byRate, queueLimit === null ? byRate : Math.max(0, queueLimit - flights.all()));
}

type Taken = Pick<
  DispatchTurn,
  'jobs' | 'moreToDo' | 'heldBack' | 'isSlowHeldBack' | 'isRateReached' | 'lost'
>;

const NOBODY_HELD_BACK = { heldBack: false, isSlowHeldBack: false, isRateReached: false };

function takenAtOnce(picture: QueuePicture, { takenIds, marked, round }: HeardTurn): Taken {
  picture.round = round + 1;
  for (const job of marked) {
    picture.order.charge(job.tenantId, picture.times.expected(job));
    takeOff(picture, job);
  }
  const jobOf = new Map(marked.map((job) => [job.id, job]));
  const jobs = takenIds.flatMap((id) => jobOf.get(id) ?? []);
  return { jobs, moreToDo: false, ...NOBODY_HELD_BACK, lost: false };
}

async function takeTurn(
  db: Database,
  queue: string,
  picture: QueuePicture,
  { windows, limits, queueLimit, rooms }: TurnRules & { windows: LaneWindow[] },
): Promise<Taken> {
  const most = mostOf(picture, { queueLimit, rooms });
  const { lines: chosen, heldBack } = chooseJobs(picture, windows, most, rooms);
  const turn: OpenTurn = { picture, places: new Map(), jobs: [], isShort: false };
  const inRound = (asked: ChosenJobs[]) => ({ queue, round: picture.round, lines: askedOf(asked, windows) });
  const { free = [], limited = [] } = Object.groupBy(chosen, ({ line }) =>
    isLimited(line, limits) ? 'limited' : 'free',
  );
  if (free.length > 0 && !follow(turn, free, await takeJobs(db, inRound(free)))) return lostTurn(turn);
  if (limited.length > 0) {
    const known = await knownBefore(db, picture, limited);
    const taken = await takeLimitedJobs(db, { ...inRound(limited), limits, known });
    if (!follow(turn, limited, taken)) return lostTurn(turn);
    for (const placed of taken.blocked)
      picture.lines.add(placed, { placedBy: BigInt(placed.placedBy), jobs: placed.jobs ?? 0 });
    for (const { gate, isHeldElsewhere } of taken.full) picture.lines.gates.close(gate, isHeldElsewhere);
  }
  const jobs = turn.jobs.sort((one, other) => placeOf(turn, one) - placeOf(turn, other));
  const isAtLimit = mostOf(picture, { queueLimit, rooms: NO_RULES.rooms }) === 0 && !picture.order.isEmpty();
  const roomsLeft = roomsAfter(rooms, jobs);
  const isShareTaken = heldBack.values().some(({ size }) => size > 0);
  const isSlow = isSlowHeldBack(picture, windows);
  return {
    jobs,
    moreToDo:
      turn.isShort &&
      !isAtLimit &&
      roomsLeft.get(gateOf.queue()) !== 0 &&
      isAnyoneNext(picture, windows, roomsLeft),
    heldBack: isShareTaken || isSlow || isAtLimit || picture.lines.gates.isAnyLimitReached(),
    isSlowHeldBack: isSlow,
    isRateReached: [...roomsLeft.values()].includes(0) && !picture.order.isEmpty(),
    lost: false,
  };
}

/** How many jobs more may go through gates that have a rate, once these have. */
function roomsAfter(rooms: ReadonlyMap<string, number>, jobs: readonly MarkedJob[]): Map<string, number> {
  const left = new Map(rooms);
  for (const gate of jobs.flatMap(({ type }) => [gateOf.queue(), gateOf.type(type)])) {
    const room = left.get(gate);
    if (room !== undefined) left.set(gate, Math.max(0, room - 1));
  }
  return left;
}

function isLimited({ isKeyed, type, tenantId }: Line, limits: Limits): boolean {
  return (
    isKeyed ||
    limits.type.some(({ name }) => name === type) ||
    limits.tenant.some(({ name }) => name === tenantId)
  );
}

/** A turn that is under way. */
interface OpenTurn {
  picture: QueuePicture;
  /** Of jobs that go, in which order they run. */
  places: Map<string, number>;
  jobs: MarkedJob[];
  /** Whether fewer go than were chosen: others may have their room. */
  isShort: boolean;
}

const placeOf = ({ places }: OpenTurn, { id }: DispatchedJob) => places.get(id) ?? 0;

function askedOf(chosen: ChosenJobs[], windows: LaneWindow[]) {
  return chosen.map(({ line, lanes, places }) => ({
    ...{ line, places },
    builds: lanes.map((lane) => windows[lane]?.buildId ?? ''),
  }));
}

/** Whoever lost a turn may have taken a part of it before: of that part the jobs are its own. */
function lostTurn({ jobs }: OpenTurn): Taken {
  return { jobs, moreToDo: true, ...NOBODY_HELD_BACK, lost: true };
}

/** Brings the picture up to date with what was taken; answers whether anything was. */
function follow(turn: OpenTurn, chosen: ChosenJobs[], { isTaken, found, marked }: TakenJobs): boolean {
  if (!isTaken) return false;
  const { picture } = turn;
  picture.round += 1;
  const foundOf = new Map(found.map((one) => [one.no, one]));
  for (const [no, asked] of chosen.entries()) followLine(turn, asked, foundOf.get(no));
  for (const job of marked) takeOff(picture, job);
  turn.jobs.push(...marked);
  return true;
}

function followLine(turn: OpenTurn, { line, places }: ChosenJobs, found: FoundJobs | undefined): void {
  const { order, lines, times } = turn.picture;
  const ids = found?.ids ?? [];
  for (const [index, id] of ids.entries()) turn.places.set(id, places[index] ?? 0);
  if (ids.length < places.length) {
    turn.isShort = true;
    lines.giveBack(line, places.length - ids.length);
    order.correct(line.tenantId, (ids.length - places.length) * times.expected(line));
  }
  // Where none of them stays, no more stood in it than were told of.
  if (!found || found.isEmpty || (found.left >= line.jobs && found.stays === 0)) lines.remove(line);
  else lines.advance(line, Math.min(found.left, line.jobs - found.stays), BigInt(found.placedBy));
}
