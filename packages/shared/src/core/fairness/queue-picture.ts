import type { InFlight } from './fairness.ts';
import type { TenantBound } from './tenant-share.ts';

/**
 * Ready jobs of one tenant, type and priority that the same schemas refuse, and that were all dispatched before, or none of
 * them. None of them was put there by a transaction before `placedBy`.
 */
export interface Line {
  tenantId: string;
  type: string;
  refusedBy: string[];
  priority: number;
  isNew: boolean;
  placedBy: string;
}

/** Jobs in flight that have all of this in common. */
export interface FlightGroup {
  tenantId: string;
  type: string;
  concurrencyKey: string | null;
  buildId: string | null;
  jobs: number;
}

/**
 * What a dispatcher remembers of a queue: all that a snapshot showed of it, and what it has put into flight itself. What
 * transactions that the snapshot did not show have added to the queue, or taken out of flight, they have told in sums
 * (`migrations/0020_movements.ts`, `0025_ends_of_flights.ts`), so that nothing has to be read twice.
 */
export interface QueuePicture {
  /** Changes when what was told is lost, as by a crash of Postgres: then the picture is worth nothing. */
  epoch: string;
  /** As `pg_snapshot`. */
  snapshot: string;
  seenAt: string;
  /** Counts the turns of all dispatchers of the queue: once another one has put jobs into flight, the picture is worth nothing. */
  round: number;
  lines: Line[];
  inFlight: FlightGroup[];
}

/** Adds jobs that were put into flight, and takes away those that left it. */
export function addFlights(
  inFlight: readonly FlightGroup[],
  {
    begun = [],
    landed = [],
  }: { begun?: readonly Omit<FlightGroup, 'jobs'>[]; landed?: readonly FlightGroup[] },
): FlightGroup[] {
  if (begun.length + landed.length === 0) return [...inFlight];
  const sums = new Map<string, FlightGroup>();
  const add = ({ tenantId, type, concurrencyKey, buildId }: Omit<FlightGroup, 'jobs'>, jobs: number) => {
    const key = JSON.stringify([tenantId, type, concurrencyKey, buildId]);
    const known = sums.get(key);
    if (known) known.jobs += jobs;
    else sums.set(key, { tenantId, type, concurrencyKey, buildId, jobs });
  };
  for (const group of inFlight) add(group, group.jobs);
  for (const job of begun) add(job, 1);
  for (const group of landed) add(group, -group.jobs);
  return [...sums.values()].filter(({ jobs }) => jobs !== 0);
}

/** The lane of a live build, and how many jobs may be in flight through it. */
export interface LaneWindow {
  buildId: string;
  size: number;
  /** How many of them may be one tenant's; any number when left out. */
  mostPerTenant?: TenantBound | undefined;
}

/** What is in flight, counted; `byBuild`: through its lane. */
export interface CountedInFlight extends InFlight {
  byBuild: ReadonlyMap<string, number>;
}

export function sumInFlight(
  groups: readonly FlightGroup[],
  lanes: readonly LaneWindow[],
  quickTypes: readonly string[],
): CountedInFlight {
  const byTenant = new Map<string, number>();
  const byKey = new Map<string, number>();
  const byTenantAndLane = new Map<string, number>();
  const slowByTenantAndLane = new Map<string, number>();
  const byBuild = new Map<string, number>();
  const placeOf = new Map(lanes.map(({ buildId }, place) => [buildId, place]));
  for (const { tenantId, type, concurrencyKey, buildId, jobs } of groups) {
    addTo(byTenant, tenantId, jobs);
    if (concurrencyKey !== null) addTo(byKey, `${tenantId} ${concurrencyKey}`, jobs);
    if (buildId === null) continue;
    addTo(byBuild, buildId, jobs);
    const lane = `${tenantId} ${placeOf.get(buildId) ?? -1}`;
    addTo(byTenantAndLane, lane, jobs);
    if (!quickTypes.includes(type)) addTo(slowByTenantAndLane, lane, jobs);
  }
  return { byTenant, byKey, byTenantAndLane, slowByTenantAndLane, byBuild };
}

function addTo(counts: Map<string, number>, key: string, added: number): void {
  counts.set(key, (counts.get(key) ?? 0) + added);
}

/** How many jobs each lane has room for. */
export function roomsOf(lanes: readonly LaneWindow[], { byBuild }: CountedInFlight): number[] {
  return lanes.map(({ buildId, size }) => Math.max(0, size - (byBuild.get(buildId) ?? 0)));
}

/** Answers how many jobs, whosever they are, give no tenant more than its share of the lanes; `null` where it has all of them. */
export function mostOfShares(lanes: readonly LaneWindow[], inFlight: InFlight): number | null {
  const bounds = lanes.flatMap(({ mostPerTenant }) => mostPerTenant ?? []);
  if (bounds.length === 0) return null;
  const left = bounds.map(({ all, slow }) =>
    Math.min(all - most(inFlight.byTenantAndLane), slow - most(inFlight.slowByTenantAndLane)),
  );
  return Math.max(0, Math.min(...left));
}

function most(counts: ReadonlyMap<string, number>): number {
  return counts.values().reduce((largest, count) => Math.max(largest, count), 0);
}

/** Whether the tenant of a line has its share of every lane. */
export function isHeldBack(
  { tenantId, type }: Line,
  lanes: readonly LaneWindow[],
  inFlight: InFlight,
  quickTypes: readonly string[],
): boolean {
  return lanes.every(({ mostPerTenant: bound }, place) => {
    if (!bound) return false;
    const lane = `${tenantId} ${place}`;
    if ((inFlight.byTenantAndLane.get(lane) ?? 0) >= bound.all) return true;
    return !quickTypes.includes(type) && (inFlight.slowByTenantAndLane.get(lane) ?? 0) >= bound.slow;
  });
}

/** Counts the jobs in flight that have a concurrency key. */
export function usedKeys(
  groups: readonly FlightGroup[],
): { tenantId: string; concurrencyKey: string; jobs: number }[] {
  const used = new Map<string, { tenantId: string; concurrencyKey: string; jobs: number }>();
  for (const { tenantId, concurrencyKey, jobs } of groups) {
    if (concurrencyKey === null) continue;
    const key = `${tenantId} ${concurrencyKey}`;
    used.set(key, { tenantId, concurrencyKey, jobs: (used.get(key)?.jobs ?? 0) + jobs });
  }
  return [...used.values()];
}
