import type { TenantFlights } from './flights.ts';
import { gateOf } from './gates.ts';
import { byAge, type LinesByAge } from './lines-by-age.ts';
import type { Line } from './queue-lines.ts';
import { type Group, type LaneWindow, parseGroup, type QueuePicture } from './queue-picture.ts';
import { mostBeside } from './tenant-share.ts';

/** How many jobs of a line may go, from its head on. */
export interface ChosenJobs {
  line: Line;
  /** The lane of each, by its place among all. */
  lanes: number[];
  /** The place of each in the order in which they are to run. */
  places: number[];
}

export interface Choice {
  lines: ChosenJobs[];
  /** What is in the lanes as often as its tenant may have it there, whatever room there is. */
  heldBack: Set<LinesByAge>;
}

/** What takes less is taken together: to look into another line costs as much as to run some of the quickest jobs. */
const AT_ONCE_MS = 5;

/**
 * Chooses how many jobs of which lines go to which lanes, and in which order they run, until there is no room. The tenant
 * that has had the least service is next; of its lines, whatever lanes they go to, the one whose priority has its turn, what was
 * dispatched before first, then the one that begins with the oldest job. A job goes to the lane that has the fewest jobs for each of its
 * handlers of those that take it: the window of a lane that was busy is larger, but its handlers are no more.
 * Of jobs that take less than some milliseconds a tenant takes several at its turn. Of a type no more go than there are `rooms` for, by
 * its gate.
 *
 * Each is charged what its type is likely to take. So the cost is that of the jobs that go.
 *
 * What a type that yields may have beyond its limit it is lent once nobody else has a turn.
 */
export function chooseJobs(
  picture: QueuePicture,
  windows: readonly LaneWindow[],
  most = Number.POSITIVE_INFINITY,
  rooms: ReadonlyMap<string, number> = new Map(),
): Choice {
  const { order, times } = picture;
  const taking = beginToTake(picture, windows, rooms);
  for (let place = 0; place < most; ) {
    const group = nextGroup(picture, taking) ?? nextThatBorrows(picture, taking);
    if (group === undefined) break;
    const tenantId = order.take(group);
    if (tenantId === undefined) break;
    let chargedMs = 0;
    for (
      let line: Line | undefined;
      chargedMs < AT_ONCE_MS && place < most;
      chargedMs += times.expected(line)
    ) {
      line = takeJob(picture, taking, tenantId, place);
      if (!line) break;
      place += 1;
    }
    if (chargedMs > 0) order.charge(tenantId, chargedMs);
  }
  order.standAgain();
  for (const lines of taking.setAside) lines.putBack();
  return { lines: [...taking.chosen.values()], heldBack: taking.heldBack };
}

/** Whether anybody has a turn, where nothing was chosen yet. */
export function isAnyoneNext(
  picture: QueuePicture,
  windows: readonly LaneWindow[],
  rooms: ReadonlyMap<string, number> = new Map(),
): boolean {
  return nextGroup(picture, beginToTake(picture, windows, rooms)) !== undefined;
}

/** Whether anybody would have a turn if handlers ended that are not quick. */
export function isSlowHeldBack(picture: QueuePicture, windows: readonly LaneWindow[]): boolean {
  const { order } = picture;
  const taking = beginToTake(picture, windows, new Map());
  const isShort = (lane: number) => hasRoom(taking, lane) && !hasRoomForSlow(taking, lane);
  return [...order.groups()].some((name) => {
    const { lanes, isSlow } = groupOf(name, taking);
    return isSlow && lanes.some(isShort) && order.nextPass(name) !== undefined;
  });
}

/** Names the limited types of which jobs wait. */
export function limitedTypesThatWait({ order }: QueuePicture): Set<string> {
  const types = new Set<string>();
  for (const name of order.groups()) {
    const { limitedType } = parseGroup(name);
    if (limitedType !== undefined && order.nextPass(name) !== undefined) types.add(limitedType);
  }
  return types;
}

/** What is left to take while jobs are chosen. */
interface Taking {
  windows: readonly LaneWindow[];
  /** By lane: how many jobs are in its window. */
  inFlight: number[];
  /** By lane: how many more of those may be jobs whose handlers are not known to be quick. */
  slowRooms: number[];
  /** By type: how many more jobs may be in flight of one whose handlers are slower than usual. */
  typeRooms: Map<string, number>;
  /** The types that may have more than that; none before nobody else has a turn. */
  borrowers: Set<string>;
  quickTypes: ReadonlySet<string>;
  groups: Map<string, Group>;
  isFull: (gate: string) => boolean;
  /** By gates of types that have a rate: how many more of their jobs may go. */
  rooms: Map<string, number>;
  chosen: Map<Line, ChosenJobs>;
  /** Of `<tenant id> <lane>`: what a tenant has in a lane. */
  ofTenants: Map<string, TenantFlights>;
  heldBack: Set<LinesByAge>;
  /** Of which lines are set aside, as all that stands in them was chosen. */
  setAside: Set<LinesByAge>;
}

function beginToTake(
  picture: QueuePicture,
  windows: readonly LaneWindow[],
  rooms: ReadonlyMap<string, number>,
): Taking {
  const { flights, quickTypes, lines } = picture;
  const inFlight = windows.map(({ buildId }) => flights.through(buildId));
  const slowRooms = windows.map(({ buildId, mostSlow = Number.POSITIVE_INFINITY }) =>
    Math.max(0, mostSlow - flights.slowThrough(buildId, quickTypes)),
  );
  return {
    ...{ windows, inFlight, slowRooms, quickTypes, isFull: lines.gates.isFull },
    rooms: new Map(rooms),
    typeRooms: typeRoomsOf(picture),
    borrowers: new Set(),
    groups: new Map(),
    chosen: new Map(),
    ofTenants: new Map(),
    heldBack: new Set(),
    setAside: new Set(),
  };
}

function typeRoomsOf({ flights, adaptiveLimits }: QueuePicture): Map<string, number> {
  if (adaptiveLimits.size === 0) return new Map();
  const inFlight = flights.ofTypes();
  return new Map(
    adaptiveLimits.entries().map(([type, { most }]) => [type, most - (inFlight.get(type) ?? 0)]),
  );
}

function groupOf(name: string, { groups }: Taking): Group {
  const known = groups.get(name);
  if (known) return known;
  const group = parseGroup(name);
  groups.set(name, group);
  return group;
}

/** The lanes of a group that have room; none where its type has as many in flight as may be, or no more may be started just now. */
function openLanes(name: string, taking: Taking): number[] {
  const { lanes, isSlow, limitedType } = groupOf(name, taking);
  if (limitedType !== undefined && isTypeFull(limitedType, taking)) return [];
  return lanes.filter((lane) => hasRoom(taking, lane) && (!isSlow || hasRoomForSlow(taking, lane)));
}

function isTypeFull(type: string, taking: Taking): boolean {
  const gate = gateOf.type(type);
  return taking.isFull(gate) || (taking.rooms.get(gate) ?? 1) <= 0 || !hasTypeRoom(taking, type);
}

const hasRoom = ({ inFlight, windows }: Taking, lane: number) =>
  (inFlight[lane] ?? 0) < (windows[lane]?.size ?? 0);

const hasRoomForSlow = ({ slowRooms }: Taking, lane: number) => (slowRooms[lane] ?? 0) > 0;

const hasTypeRoom = ({ typeRooms, borrowers }: Taking, type: string) =>
  (typeRooms.get(type) ?? 1) > 0 || borrowers.has(type);

/** Of the groups that have a lane with room the one in which the tenant stands that is next. */
function nextGroup({ order }: QueuePicture, taking: Taking): string | undefined {
  return order.nextOf([...order.groups()].filter((group) => openLanes(group, taking).length > 0));
}

/** The same where nobody has a turn, of types that yield. */
function nextThatBorrows(picture: QueuePicture, taking: Taking): string | undefined {
  for (const [type, { yields }] of picture.adaptiveLimits) if (yields) taking.borrowers.add(type);
  return taking.borrowers.size > 0 ? nextGroup(picture, taking) : undefined;
}

/** A line whose next job may go, to this lane. */
interface Candidate {
  line: Line;
  lane: number;
}

/** Takes the tenant's next job that a lane has room for; answers its line. */
function takeJob(picture: QueuePicture, taking: Taking, tenantId: string, place: number): Line | undefined {
  const { open, urgency } = picture.lines.of(tenantId);
  const able: Candidate[] = [];
  for (const [group, byKind] of open) {
    const lanes = openLanes(group, taking);
    if (lanes.length === 0) continue;
    for (const lines of byKind.values()) {
      const candidate = candidateOf(picture, taking, lines, lanes);
      if (candidate) able.push(candidate);
    }
  }
  const priority = urgency.next(able.map(({ line }) => line.priority));
  if (priority === undefined) return undefined;
  const { line, lane } = able
    .filter((one) => one.line.priority === priority)
    .reduce((one, other) => (byAge(other.line, one.line) < 0 ? other : one));
  urgency.take(priority);
  takeRoom(taking, line, lane);
  const jobs = taking.chosen.get(line) ?? { line, lanes: [], places: [] };
  jobs.lanes.push(lane);
  jobs.places.push(place);
  taking.chosen.set(line, jobs);
  return line;
}

/** Answers the first of lines that are alike which has jobs left, if the tenant may take anything of a lane of theirs. */
function candidateOf(
  picture: QueuePicture,
  taking: Taking,
  lines: LinesByAge,
  lanes: readonly number[],
): Candidate | undefined {
  let line = lines.first();
  while (line && line.jobs <= (taking.chosen.get(line)?.lanes.length ?? 0)) {
    lines.setAside();
    taking.setAside.add(lines);
    line = lines.first();
  }
  const next = line;
  if (!next) return undefined;
  const lane = leastBusy(
    lanes.filter((one) => hasShare(picture, taking, next, one)),
    taking,
  );
  if (lane !== undefined) return { line: next, lane };
  taking.heldBack.add(lines);
  return undefined;
}

/** The lane that would have the fewest jobs for each handler, with one more. */
function leastBusy(lanes: readonly number[], { inFlight, windows }: Taking): number | undefined {
  let [found, least]: [number | undefined, number] = [undefined, Number.POSITIVE_INFINITY];
  for (const lane of lanes) {
    const { size = 0, concurrency = size } = windows[lane] ?? {};
    const jobsAHandler = ((inFlight[lane] ?? 0) + 1) / Math.max(1, concurrency);
    if (jobsAHandler < least) [found, least] = [lane, jobsAHandler];
  }
  return found;
}

function hasShare(picture: QueuePicture, taking: Taking, { tenantId, type }: Line, lane: number): boolean {
  const window = taking.windows[lane];
  if (!window?.mostPerTenant) return true;
  const has = flightsOf(picture, taking, tenantId, { lane, buildId: window.buildId });
  const most = mostBeside(window.mostPerTenant, (taking.inFlight[lane] ?? 0) - has.all, window);
  return has.all < most.all && (has.slow < most.slow || taking.quickTypes.has(type));
}

function flightsOf(
  { flights }: QueuePicture,
  { quickTypes, ofTenants }: Taking,
  tenantId: string,
  { lane, buildId }: { lane: number; buildId: string },
): TenantFlights {
  const key = `${tenantId} ${lane}`;
  const known = ofTenants.get(key) ?? flights.of(tenantId, buildId, quickTypes);
  ofTenants.set(key, known);
  return known;
}

function takeRoom(taking: Taking, { tenantId, type }: Line, lane: number): void {
  const { inFlight, slowRooms, typeRooms, ofTenants, rooms } = taking;
  const gate = gateOf.type(type);
  const roomByRate = rooms.get(gate);
  if (roomByRate !== undefined) rooms.set(gate, roomByRate - 1);
  const isQuick = taking.quickTypes.has(type);
  inFlight[lane] = (inFlight[lane] ?? 0) + 1;
  if (!isQuick) slowRooms[lane] = (slowRooms[lane] ?? 0) - 1;
  const ofType = typeRooms.get(type);
  if (ofType !== undefined) typeRooms.set(type, ofType - 1);
  const has = ofTenants.get(`${tenantId} ${lane}`);
  if (!has) return;
  has.all += 1;
  if (!isQuick) has.slow += 1;
}
