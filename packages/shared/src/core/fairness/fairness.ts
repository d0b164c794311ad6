import type { TenantBound } from './tenant-share.ts';

/** A job that could be dispatched now. `priority` is a rank, 0 the most urgent. */
export interface ReadyJob {
  id: string;
  tenantId: string;
  priority: number;
  concurrencyKey: string | null;
  concurrencyLimit: number | null;
  /** The lanes, by their place among all, whose build takes the job. */
  lanes: readonly number[];
  /** Whether handlers of its type are known to be quick. */
  isQuick: boolean;
}

/** A job that is to be dispatched, and the lane that it goes to. */
export interface ChosenJob {
  id: string;
  lane: number;
}

/**
 * How many jobs of a queue are dispatched or running: of a tenant, of `<tenant id> <concurrency key>`, and of
 * `<tenant id> <lane>`, with the lane's place among all: of all jobs, and of those that are not known to be quick.
 */
export interface InFlight {
  byTenant: ReadonlyMap<string, number>;
  byKey: ReadonlyMap<string, number>;
  byTenantAndLane: ReadonlyMap<string, number>;
  slowByTenantAndLane: ReadonlyMap<string, number>;
}

/** What is to be dispatched, in order, and how many jobs were left because their tenant has its share of the lanes. */
export interface Choice {
  jobs: ChosenJob[];
  heldBack: number;
}

/**
 * Chooses jobs, the order to run them in and the lane of each; `rooms` says how many each lane takes, `mostPerTenant` how
 * many of one tenant it may hold, those in flight included. The tenant that has the fewest jobs in flight is next
 * (max-min fairness), of several the one whose next job is the most urgent; within a tenant the order given, which is by
 * priority and age. So nobody's priority delays the jobs of others. A job goes to the lane that has the most room of
 * those that take it; one that none has room for, whose tenant has its share, or whose concurrency key is at its limit,
 * is passed over.
 */
export function chooseFairly(
  ready: readonly ReadyJob[],
  rooms: readonly number[],
  inFlight: InFlight,
  mostPerTenant: readonly (TenantBound | undefined)[] = [],
): Choice {
  const taking: Taking = {
    rooms: [...rooms],
    mostPerTenant,
    jobsOfKey: new Map(inFlight.byKey),
    jobsOfLane: new Map(inFlight.byTenantAndLane),
    slowJobsOfLane: new Map(inFlight.slowByTenantAndLane),
    heldBack: 0,
  };
  const jobsOfTenant = new Map(inFlight.byTenant);
  const slots = rooms.reduce((sum, room) => sum + room, 0);
  const chosen: ChosenJob[] = [];
  const queues = groupByTenant(ready);
  while (chosen.length < slots && queues.size > 0) {
    const tenantId = leastServed(queues, jobsOfTenant);
    const job = takeNext(queues, tenantId, taking);
    if (!job) continue;
    chosen.push(job);
    jobsOfTenant.set(tenantId, (jobsOfTenant.get(tenantId) ?? 0) + 1);
  }
  return { jobs: chosen, heldBack: taking.heldBack };
}

/** What is left to take while jobs are chosen. */
interface Taking {
  rooms: number[];
  mostPerTenant: readonly (TenantBound | undefined)[];
  jobsOfKey: Map<string, number>;
  jobsOfLane: Map<string, number>;
  slowJobsOfLane: Map<string, number>;
  heldBack: number;
}

interface TenantQueue {
  jobs: ReadyJob[];
  next: number;
}

function groupByTenant(jobs: readonly ReadyJob[]): Map<string, TenantQueue> {
  const queues = new Map<string, TenantQueue>();
  for (const job of jobs) {
    const queue = queues.get(job.tenantId) ?? { jobs: [], next: 0 };
    queue.jobs.push(job);
    queues.set(job.tenantId, queue);
  }
  return queues;
}

function leastServed(
  queues: ReadonlyMap<string, TenantQueue>,
  jobsOfTenant: ReadonlyMap<string, number>,
): string {
  let least = { tenantId: '', jobs: Number.POSITIVE_INFINITY, priority: Number.POSITIVE_INFINITY };
  for (const [tenantId, queue] of queues) {
    const jobs = jobsOfTenant.get(tenantId) ?? 0;
    const priority = queue.jobs[queue.next]?.priority ?? Number.POSITIVE_INFINITY;
    if (jobs < least.jobs || (jobs === least.jobs && priority < least.priority))
      least = { tenantId, jobs, priority };
  }
  return least.tenantId;
}

/** Takes the tenant's next job that a lane and its concurrency key allow, and drops the tenant when it has none left. */
function takeNext(queues: Map<string, TenantQueue>, tenantId: string, taking: Taking): ChosenJob | undefined {
  const queue = queues.get(tenantId);
  while (queue && queue.next < queue.jobs.length) {
    const job = queue.jobs[queue.next];
    queue.next += 1;
    if (!job) break;
    const lanes = job.lanes.filter((lane) => isBelowShare(job, lane, taking));
    if (lanes.length === 0 && job.lanes.length > 0) taking.heldBack += 1;
    const lane = roomiest(lanes, taking.rooms);
    if (lane === undefined || !takeKey(job, taking.jobsOfKey)) continue;
    takeRoom(job, lane, taking);
    return { id: job.id, lane };
  }
  queues.delete(tenantId);
  return undefined;
}

function isBelowShare({ tenantId, isQuick }: ReadyJob, lane: number, taking: Taking): boolean {
  const bound = taking.mostPerTenant[lane];
  if (!bound) return true;
  const key = `${tenantId} ${lane}`;
  const hasRoom = (taking.jobsOfLane.get(key) ?? 0) < bound.all;
  return hasRoom && (isQuick || (taking.slowJobsOfLane.get(key) ?? 0) < bound.slow);
}

function takeRoom({ tenantId, isQuick }: ReadyJob, lane: number, taking: Taking): void {
  const { rooms, jobsOfLane, slowJobsOfLane } = taking;
  const key = `${tenantId} ${lane}`;
  rooms[lane] = (rooms[lane] ?? 0) - 1;
  jobsOfLane.set(key, (jobsOfLane.get(key) ?? 0) + 1);
  if (!isQuick) slowJobsOfLane.set(key, (slowJobsOfLane.get(key) ?? 0) + 1);
}

function roomiest(lanes: readonly number[], rooms: readonly number[]): number | undefined {
  let found: number | undefined;
  let most = 0;
  for (const lane of lanes) {
    const room = rooms[lane] ?? 0;
    if (room > most) [found, most] = [lane, room];
  }
  return found;
}

function takeKey(job: ReadyJob, jobsOfKey: Map<string, number>): boolean {
  if (job.concurrencyKey === null) return true;
  const key = `${job.tenantId} ${job.concurrencyKey}`;
  const inUse = jobsOfKey.get(key) ?? 0;
  if (job.concurrencyLimit !== null && inUse >= job.concurrencyLimit) return false;
  jobsOfKey.set(key, inUse + 1);
  return true;
}
