import { foresee, type Outlook, type WaitConditions, whyWaiting } from '../../core/fairness/explain-wait.ts';
import { gateOf } from '../../core/fairness/gates.ts';
import { createQueuePicture, groupLines, type QueuePicture } from '../../core/fairness/queue-picture.ts';
import { startBucket } from '../../core/fairness/start-allowance.ts';
import type { Database } from '../connection/connect.ts';
import { type DispatchRules, readDispatchRules } from '../limits/dispatch-rules.ts';
import { listUsedUp } from '../limits/token-buckets.ts';
import { listTakenTypes } from '../workers/builds.ts';
import { type LiveLane, listLiveLanes } from '../workers/workers.ts';
import { type FlightCount, type QueueSketch, type SketchedLine, sketchQueue } from './sketch-queue.ts';

/** Looking further ahead would hold up whoever looks. */
const MOST_AHEAD = 1_000;

/** With those who serve the queue, and all that is due. */
export interface QueueOutlook extends Outlook {
  /** When it was looked at, by `performance.now()`. */
  seenAtMs: number;
  lanes: LiveLane[];
  lines: SketchedLine[];
  /** How many jobs are dispatched and not claimed. */
  inDelivery: number;
  /** Of the lines those that only wait for their turn. */
  going: SketchedLine[];
  weights: ReadonlyMap<string, number>;
  /** How many jobs could be started a second when handlers were last busy; `null` where that is long ago. */
  drainPerSecond: number | null;
  /** Whether that is of now. */
  isDrainFresh: boolean;
}

/**
 * Looks at a queue as its dispatcher does, by the same rules, and takes nothing. What only the dispatcher knows is not in it:
 * how long handlers took of late, and how much of the lanes a tenant may have, which goes by that.
 */
export async function readOutlook(db: Database, queue: string): Promise<QueueOutlook> {
  const lanes = await listLiveLanes(db, queue);
  const buildIds = lanes.map(({ buildId }) => buildId);
  const rules = await readDispatchRules(db, queue, buildIds);
  const [rated, builds, sketch] = await Promise.all([
    ratedGates(db, rules),
    buildIds.length === 0 ? new Map() : listTakenTypes(db, buildIds),
    sketchQueue(db, queue),
  ]);
  const full = fullGates(queue, rules, sketch);
  const picture = pictureOf(sketch, rules, full);
  for (const [buildId, types] of builds) picture.builds.set(buildId, types);
  const windows = buildIds.map((buildId) => ({ buildId, size: 0 }));
  const limitedTypes = [
    ...rules.limits.type.map(({ name }) => name),
    ...sketch.heldTypes.map(({ type }) => type),
  ];
  groupLines(picture, windows, limitedTypes);
  const conditions = { paused: rules.paused, full, rated, takenBy: [...builds.values()] };
  return {
    seenAtMs: sketch.seenAtMs,
    conditions,
    foreseen: foresee(picture, windows, MOST_AHEAD),
    isCut: sketch.isCut,
    keyLimits: rules.limits.key,
    lanes,
    lines: sketch.lines,
    going: goingLines(sketch, conditions),
    weights: rules.weights,
    drainPerSecond: sketch.drainPerSecond,
    isDrainFresh: sketch.isDrainFresh,
    inDelivery: sumOf(sketch.flights, (flight) => (flight.queue === queue ? flight.unclaimed : 0)),
  };
}

/** Names the gates of which as many jobs were started as their rate allows. */
async function ratedGates(db: Database, { rates }: DispatchRules): Promise<Set<string>> {
  if (rates.length === 0) return new Set();
  const usedUp = await listUsedUp(
    db,
    rates.map((rate) => startBucket(rate).name),
  );
  return new Set(rates.filter((rate) => usedUp.has(startBucket(rate).name)).map(({ gate }) => gate));
}

/** Draws what a dispatcher would know of the queue, with its gates as they are. */
function pictureOf(
  { lines, order }: QueueSketch,
  { paused, weights }: DispatchRules,
  full: ReadonlySet<string>,
): QueuePicture {
  const picture = createQueuePicture({
    ...{ epoch: '', snapshot: '', seenAt: '', round: 0, inFlight: [] },
    order,
    // Who was not counted to the end has as many as are wanted.
    lines: lines.map((line) => ({ ...line, jobs: line.isCounted ? line.jobs : null })),
  });
  const { gates } = picture.lines;
  gates.pause(paused);
  for (const gate of full) gates.close(gate, false);
  for (const { tenantId, blockedBy } of lines)
    if (blockedBy !== null) gates.close(gateOf.key(tenantId, blockedBy), false);
  picture.order.weigh(weights);
  return picture;
}

/** What only waits for its turn, and for no slot of a key. */
function goingLines({ lines }: QueueSketch, conditions: WaitConditions): SketchedLine[] {
  return lines.filter((line) => line.blockedBy === null && whyWaiting(line, conditions).length === 0);
}

/** Names the types, the tenants and the queue that have as many jobs in flight as they may. */
function fullGates(
  queue: string,
  { limits, queueLimit }: DispatchRules,
  { flights, heldTypes }: Pick<QueueSketch, 'flights' | 'heldTypes'>,
): Set<string> {
  const full = new Set<string>();
  const ofTypes = sumBy(flights, ({ type }) => type);
  for (const { name, most } of limits.type) if ((ofTypes.get(name) ?? 0) >= most) full.add(gateOf.type(name));
  const ofTenants = sumBy(flights, ({ tenantId }) => tenantId);
  for (const { name, most } of limits.tenant)
    if ((ofTenants.get(name) ?? 0) >= most) full.add(gateOf.tenant(name));
  const ownFlights = flights.filter((flight) => flight.queue === queue);
  const ofOwnTypes = sumBy(ownFlights, ({ type }) => type);
  for (const { type, most } of heldTypes)
    if ((ofOwnTypes.get(type) ?? 0) >= most) full.add(gateOf.type(type));
  const ofQueue = sumOf(ownFlights, ({ jobs }) => jobs);
  if (queueLimit !== null && ofQueue >= queueLimit) full.add(gateOf.queue());
  return full;
}

function sumBy(flights: readonly FlightCount[], keyOf: (flight: FlightCount) => string): Map<string, number> {
  const sums = new Map<string, number>();
  for (const flight of flights) sums.set(keyOf(flight), (sums.get(keyOf(flight)) ?? 0) + flight.jobs);
  return sums;
}

function sumOf(flights: readonly FlightCount[], count: (flight: FlightCount) => number): number {
  return flights.reduce((sum, flight) => sum + count(flight), 0);
}
