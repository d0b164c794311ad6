import { goBefore } from './urgency.ts';

/** Jobs of a tenant and a priority that wait for their turn and that nothing else holds up. */
export interface WaitingJobs {
  tenantId: string;
  priority: number;
  jobs: number;
}

/** Whose job comes, and how urgent it is. */
export interface ArrivingJob {
  tenantId: string;
  priority: number;
}

/**
 * Knows how many jobs go before one that comes now: what the fair order of tenants and the turns of priorities come to where all jobs
 * take as long. It is for far more jobs than one would choose from, and costs no more for many.
 */
export interface WaitModel {
  aheadOf(arrival: ArrivingJob): number;
  /** Counts a job that has come since. */
  add(arrival: ArrivingJob): void;
}

/** The sums are made anew when so much has been added: so far they may be off. */
const STALE_PART = 1 / 50;

export function createWaitModel(
  waiting: Iterable<WaitingJobs>,
  weights: ReadonlyMap<string, number>,
): WaitModel {
  const ofTenants = new Map<string, Map<number, number>>();
  let all = 0;
  let addedSince = 0;
  let others = sumUp([]);

  const weightOf = (tenantId: string) => weights.get(tenantId) ?? 1;

  function put({ tenantId, priority, jobs }: WaitingJobs): void {
    const byPriority = ofTenants.get(tenantId) ?? new Map<number, number>();
    ofTenants.set(tenantId, byPriority.set(priority, (byPriority.get(priority) ?? 0) + jobs));
    all += jobs;
  }

  function sumAnew(): void {
    addedSince = 0;
    others = sumUp(
      [...ofTenants].map(([tenantId, byPriority]) => ({
        weight: weightOf(tenantId),
        jobs: byPriority.values().reduce((sum, jobs) => sum + jobs, 0),
      })),
    );
  }

  for (const jobs of waiting) put(jobs);
  sumAnew();

  return {
    aheadOf({ tenantId, priority }) {
      const own = ofTenants.get(tenantId) ?? new Map<number, number>();
      const ofPriority = own.get(priority) ?? 0;
      const before = [...own].reduce(
        (sum, [other, jobs]) => sum + Math.min(jobs, (ofPriority + 1) * goBefore(other, priority)),
        0,
      );
      const ownAhead = Math.max(ofPriority, before);
      const weight = weightOf(tenantId);
      const ownJobs = own.values().reduce((sum, jobs) => sum + jobs, 0);
      const served = (ownAhead + 1) / weight;
      const ofOthers = others.until(served) - Math.min(ownJobs, served * weight);
      return Math.round(ownAhead + Math.max(0, ofOthers));
    },
    add({ tenantId, priority }) {
      put({ tenantId, priority, jobs: 1 });
      addedSince += 1;
      if (addedSince > all * STALE_PART) sumAnew();
    },
  };
}

interface TenantSum {
  weight: number;
  jobs: number;
}

/** Sums up what tenants have had by the time that each has had so much for its weight, or has nothing left. */
function sumUp(tenants: TenantSum[]): { until(served: number): number } {
  const sorted = tenants
    .map(({ weight, jobs }) => ({ weight, jobs, lasts: jobs / weight }))
    .sort((one, other) => one.lasts - other.lasts);
  const jobsBefore = [0];
  for (const { jobs } of sorted) jobsBefore.push((jobsBefore.at(-1) ?? 0) + jobs);
  const weightFrom = [0];
  for (const { weight } of sorted.toReversed()) weightFrom.push((weightFrom.at(-1) ?? 0) + weight);

  return {
    until(served) {
      const ended = countEnded(sorted, served);
      return (jobsBefore[ended] ?? 0) + served * (weightFrom[sorted.length - ended] ?? 0);
    },
  };
}

/** How many of them, sorted by how long they last, have ended by then. */
function countEnded(sorted: readonly { lasts: number }[], served: number): number {
  let [from, to] = [0, sorted.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    if ((sorted[middle]?.lasts ?? 0) <= served) from = middle + 1;
    else to = middle;
  }
  return from;
}
