import type { AdaptiveLimit } from './adaptive-limits.ts';
import { FairOrder, type FairOrderState } from './fair-order.ts';
import { createFlights, type FlightGroup, type Flights, type Landing } from './flights.ts';
import { gateOf } from './gates.ts';
import { lanesTaking, type TakenTypes } from './lanes.ts';
import { createOvertaking, type Overtaking } from './overtaking.ts';
import { type LineName, QueueLines } from './queue-lines.ts';
import { createRunTimes, type RunTimes } from './run-times.ts';
import type { TenantBound } from './tenant-share.ts';

/** The lane of a live build, and how many jobs may be in flight through it. */
export interface LaneWindow {
  buildId: string;
  size: number;
  /** How many handlers take from it; as many as its size when left out. */
  concurrency?: number | undefined;
  /** How many of them may be jobs whose handlers are not known to be quick; any number when left out. */
  mostSlow?: number | undefined;
  /** How many of them may be one tenant's; any number when left out. */
  mostPerTenant?: TenantBound | undefined;
}

/** A line, and jobs that were put there. */
export interface PlacedJobs extends LineName {
  /** As in `Line`; it comes as text. */
  placedBy: string;
  /** `null`: nobody has counted them. */
  jobs: number | null;
}

/** What one snapshot showed of a queue. */
export interface Survey {
  /** Changes when what was told is lost, as by a crash of Postgres: then the picture is worth nothing. */
  epoch: string;
  /** As `pg_snapshot`. */
  snapshot: string;
  seenAt: string;
  /** Counts the turns of all dispatchers of the queue: once another one has put jobs into flight, the picture is worth nothing. */
  round: number;
  lines: PlacedJobs[];
  inFlight: FlightGroup[];
  order: FairOrderState;
}

/** What transactions have told that the last look did not show. */
export interface Heard extends Pick<Survey, 'snapshot' | 'seenAt' | 'round'> {
  arrivals: PlacedJobs[];
  landings: Landing[];
}

/**
 * What a dispatcher remembers of a queue: all that a snapshot showed of it, and what it has put into flight itself. What
 * transactions that the snapshot did not show have added to the queue, or taken out of flight, they have told in sums
 * (`migrations/0026_turns.ts`), so that nothing has to be read twice.
 */
export interface QueuePicture extends Pick<Survey, 'epoch' | 'snapshot' | 'seenAt' | 'round'> {
  readonly lines: QueueLines;
  flights: Flights;
  readonly order: FairOrder;
  readonly overtaking: Overtaking;
  readonly times: RunTimes;
  /** What builds take, as far as that is known: it never changes. */
  readonly builds: Map<string, TakenTypes>;
  /** The types whose handlers are known to be quick. */
  quickTypes: ReadonlySet<string>;
  /** Of types whose handlers are slower than usual. */
  adaptiveLimits: ReadonlyMap<string, AdaptiveLimit>;
  /** What the lines are grouped by. */
  grouping: string;
  /** No job in flight, of any queue, was dispatched by a transaction before this one (`xid8`), in this epoch. */
  flightsSince: string;
  /** How many turns took limited jobs. */
  limitedTurns: number;
}

/** Older than any transaction. */
const FIRST = '0';

export function createQueuePicture(survey: Survey): QueuePicture {
  const { epoch, snapshot, seenAt, round } = survey;
  const order = new FairOrder(survey.order);
  const picture: QueuePicture = {
    quickTypes: new Set(),
    adaptiveLimits: new Map(),
    ...{ epoch, snapshot, seenAt, round, order },
    lines: new QueueLines(order),
    flights: createFlights(),
    overtaking: createOvertaking(),
    times: createRunTimes(),
    builds: new Map(),
    grouping: '',
    flightsSince: FIRST,
    limitedTurns: 0,
  };
  lookAnew(picture, survey);
  return picture;
}

/** Corrects a picture of the same round, whatever was told: who has had how much service stays. */
export function lookAnew(picture: QueuePicture, survey: Survey): void {
  const { epoch, snapshot, seenAt, round, lines, inFlight } = survey;
  const [before, now] = [picture.flights.groups(), inFlight].map(countByKey);
  if (epoch !== picture.epoch) picture.flightsSince = FIRST;
  Object.assign(picture, { epoch, snapshot, seenAt, round, flights: createFlights() });
  picture.lines.keepOnly(lines);
  // Nobody will hear any more of what left flight since the last look; a key of which nothing did is as full as it was.
  picture.lines.gates.openUnless((gate) => (now?.get(gate) ?? 0) >= (before?.get(gate) ?? 1));
  for (const placed of lines) addJobs(picture, placed);
  picture.overtaking.lookAnew(inFlight);
  for (const group of inFlight) picture.flights.begin(group, group.jobs * picture.times.expected(group));
}

/** Counts what is in flight of each concurrency key, by its gate. */
function countByKey(groups: readonly FlightGroup[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { tenantId, concurrencyKey, jobs } of groups) {
    if (concurrencyKey === null) continue;
    const gate = gateOf.key(tenantId, concurrencyKey);
    counts.set(gate, (counts.get(gate) ?? 0) + jobs);
  }
  return counts;
}

/** Brings a picture up to date. */
export function hear(picture: QueuePicture, { snapshot, seenAt, round, arrivals, landings }: Heard): void {
  Object.assign(picture, { snapshot, seenAt, round });
  for (const placed of arrivals) addJobs(picture, placed);
  for (const landing of landings) hearOfLanding(picture, landing);
}

/** Notes that a job was put into flight. */
export function takeOff({ flights, times }: QueuePicture, flight: Omit<FlightGroup, 'jobs'>): void {
  const { tenantId, type, concurrencyKey, buildId } = flight;
  flights.begin({ tenantId, type, concurrencyKey, buildId, jobs: 1 }, times.expected(flight));
}

/** Says anew which types are quick: those of `slowTypes` are not, whatever they took before. */
export function judgeTypes(picture: QueuePicture, slowTypes: readonly string[]): void {
  picture.quickTypes = new Set(picture.times.quickTypes().filter((type) => !slowTypes.includes(type)));
}

function addJobs({ lines }: QueuePicture, { placedBy, jobs, ...name }: PlacedJobs): void {
  lines.add(name, { placedBy: BigInt(placedBy), jobs: jobs ?? Number.POSITIVE_INFINITY });
}

function hearOfLanding({ lines, flights, order, overtaking, times }: QueuePicture, landing: Landing): void {
  const { tenantId, type, concurrencyKey, started, ranMs } = landing;
  const chargedMs = flights.land(landing);
  overtaking.land(landing);
  order.correct(tenantId, times.add({ tenantId, type, jobs: started, ms: ranMs }) - chargedMs);
  lines.gates.open(gateOf.type(type));
  lines.gates.open(gateOf.tenant(tenantId));
  if (concurrencyKey !== null) lines.gates.open(gateOf.key(tenantId, concurrencyKey));
}

/** What the lines of a group have in common beside their lanes, and what may keep all of them from their turn. */
export interface Group {
  lanes: number[];
  isSlow: boolean;
  /** The type, if there is a limit of it. */
  limitedType: string | undefined;
}

/** The group of lines that no lane takes is the empty one. */
export function parseGroup(group: string): Group {
  const [lanes = '', speed, limitedType] = group.split(' ');
  return { lanes: lanes === '' ? [] : lanes.split(',').map(Number), isSlow: speed === 'slow', limitedType };
}

/** Groups the lines by the lanes whose builds take their jobs, by what is quick, and by limited types, where any of that has changed. */
export function groupLines(
  picture: QueuePicture,
  windows: readonly LaneWindow[],
  limitedTypes: readonly string[] = [],
): void {
  const { lines, builds, quickTypes } = picture;
  const grouping = JSON.stringify([
    windows.map(({ buildId }) => buildId),
    [...quickTypes].sort(),
    limitedTypes,
  ]);
  if (grouping === picture.grouping) return;
  picture.grouping = grouping;
  const takenBy = windows.map(({ buildId }) => builds.get(buildId));
  lines.regroup((name) => {
    const lanes = lanesTaking(name, takenBy).join();
    if (lanes === '') return '';
    const speed = quickTypes.has(name.type) ? 'quick' : 'slow';
    return [lanes, speed, ...(limitedTypes.includes(name.type) ? [name.type] : [])].join(' ');
  });
}
