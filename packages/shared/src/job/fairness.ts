/** A job that could be dispatched now. `priority` is a rank, 0 the most urgent. */
export interface ReadyJob {
  id: string;
  tenantId: string;
  priority: number;
  concurrencyKey: string | null;
  concurrencyLimit: number | null;
}

/** How many jobs of a queue are dispatched or running. Keys are `<tenant id> <concurrency key>`. */
export interface InFlight {
  byTenant: ReadonlyMap<string, number>;
  byKey: ReadonlyMap<string, number>;
}

/**
 * Chooses up to `slots` jobs and the order to run them in: the more urgent priority first; within a priority the
 * tenant that has the fewest jobs in flight is next (max-min fairness); within a tenant the order given, which is
 * by age. A job whose concurrency key is at its limit is passed over.
 */
export function chooseFairly(ready: readonly ReadyJob[], slots: number, inFlight: InFlight): string[] {
  const jobsOfTenant = new Map(inFlight.byTenant);
  const jobsOfKey = new Map(inFlight.byKey);
  const chosen: string[] = [];
  const urgencies = [...new Set(ready.map((job) => job.priority))].sort((a, b) => a - b);
  for (const priority of urgencies) {
    const queues = groupByTenant(ready.filter((job) => job.priority === priority));
    while (chosen.length < slots && queues.size > 0) {
      const tenantId = leastServed(queues.keys(), jobsOfTenant);
      const job = takeNext(queues, tenantId, jobsOfKey);
      if (!job) continue;
      chosen.push(job.id);
      jobsOfTenant.set(tenantId, (jobsOfTenant.get(tenantId) ?? 0) + 1);
    }
  }
  return chosen;
}

interface TenantQueue {
  jobs: ReadyJob[];
  next: number;
}

function groupByTenant(jobs: ReadyJob[]): Map<string, TenantQueue> {
  const queues = new Map<string, TenantQueue>();
  for (const job of jobs) {
    const queue = queues.get(job.tenantId) ?? { jobs: [], next: 0 };
    queue.jobs.push(job);
    queues.set(job.tenantId, queue);
  }
  return queues;
}

function leastServed(tenantIds: Iterable<string>, jobsOfTenant: ReadonlyMap<string, number>): string {
  let least = '';
  let leastJobs = Number.POSITIVE_INFINITY;
  for (const tenantId of tenantIds) {
    const jobs = jobsOfTenant.get(tenantId) ?? 0;
    if (jobs < leastJobs) [least, leastJobs] = [tenantId, jobs];
  }
  return least;
}

/** Takes the tenant's next job that its concurrency key allows, and drops the tenant when it has none left. */
function takeNext(
  queues: Map<string, TenantQueue>,
  tenantId: string,
  jobsOfKey: Map<string, number>,
): ReadyJob | undefined {
  const queue = queues.get(tenantId);
  while (queue && queue.next < queue.jobs.length) {
    const job = queue.jobs[queue.next];
    queue.next += 1;
    if (job && takeKey(job, jobsOfKey)) return job;
  }
  queues.delete(tenantId);
  return undefined;
}

function takeKey(job: ReadyJob, jobsOfKey: Map<string, number>): boolean {
  if (job.concurrencyKey === null) return true;
  const key = `${job.tenantId} ${job.concurrencyKey}`;
  const inUse = jobsOfKey.get(key) ?? 0;
  if (job.concurrencyLimit !== null && inUse >= job.concurrencyLimit) return false;
  jobsOfKey.set(key, inUse + 1);
  return true;
}
