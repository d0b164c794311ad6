import { createServiceLevels, type ServiceLevels, type StartedBy } from './service-levels.ts';
import { goBefore } from './urgency.ts';

/** Whose job comes, and how urgent it is. */
export interface ArrivingJob {
  tenantId: string;
  priority: number;
}

/** Jobs of a tenant and a priority that wait for their turn and that nothing else holds up. */
export interface WaitingJobs extends ArrivingJob {
  jobs: number;
}

/** How many jobs of a tenant and a priority come for each one of the queue that is started. */
export interface ComingJobs extends ArrivingJob {
  perStart: number;
}

/** A job, and how many of its tenant and priority go before it, of those that waited then or came since; all of them when left out. */
export interface PlacedJob extends ArrivingJob {
  before?: number | undefined;
}

/**
 * Knows how many jobs are started before one: what the fair order of tenants and the turns of priorities come to where all jobs
 * take as long, with what comes meanwhile and goes before it. It is for far more jobs than one would choose from, and costs no more for many.
 * `started` are those that were started since the model was made.
 */
export interface WaitModel {
  aheadOf(job: PlacedJob, started?: number): number;
  /** Counts a job that has come since. */
  add(arrival: ArrivingJob, started?: number): void;
  /** What waited then, or came since. */
  waiting(): WaitingJobs[];
  /** How many of those are of its tenant and priority. */
  jobsOf(arrival: ArrivingJob): number;
}

/** The sums are made anew when so much has been added: so far they may be off. */
const STALE_PART = 1 / 50;
const LEAST_STALE = 20;

interface Tenant {
  weight: number;
  /** By priority. */
  jobs: number[];
  perStart: number[];
  sum: number;
  /** Where it stands among those that the levels are of. */
  place: number | undefined;
  /** The level at which it began to wait, where it did not wait from the beginning. */
  since: number;
}

export function createWaitModel(
  waiting: Iterable<WaitingJobs>,
  weights: ReadonlyMap<string, number>,
  coming: Iterable<ComingJobs> = [],
): WaitModel {
  const tenants = new Map<string, Tenant>();
  let [all, addedSince] = [0, 0];
  let levels = createServiceLevels([]);

  function tenantOf(tenantId: string): Tenant {
    const known = tenants.get(tenantId);
    if (known) return known;
    const tenant = newcomer(weights.get(tenantId));
    tenants.set(tenantId, tenant);
    return tenant;
  }

  function put({ tenantId, priority, jobs }: WaitingJobs): void {
    const tenant = tenantOf(tenantId);
    tenant.jobs[priority] = (tenant.jobs[priority] ?? 0) + jobs;
    tenant.sum += jobs;
    all += jobs;
  }

  function sumAnew(started: number): void {
    addedSince = 0;
    const demands = [...tenants.values()].map((tenant, place) => {
      tenant.place = place;
      const perStart = sumOf(tenant.perStart);
      // What was added since is counted, and need not be taken to come.
      return { weight: tenant.weight, jobs: Math.max(0, tenant.sum - perStart * started), perStart };
    });
    levels = createServiceLevels(demands);
  }

  /** Who has not waited all the time begins at the present, and nobody waits for what it might have had. */
  const levelBefore = ({ since, sum, weight }: Tenant, started: number) =>
    Math.max(since, levels.at(started) - sum / weight);

  for (const jobs of waiting) put(jobs);
  for (const { tenantId, priority, perStart } of coming) tenantOf(tenantId).perStart[priority] = perStart;
  sumAnew(0);

  return {
    aheadOf({ tenantId, priority, before }, started = 0) {
      const tenant = tenants.get(tenantId) ?? newcomer(weights.get(tenantId));
      const job = { priority, before: before ?? tenant.jobs[priority] ?? 0 };
      const standing = { tenant, job, since: levelBefore(tenant, started), started };
      return Math.round(Math.max(0, countStarts(standing, levels) - started));
    },
    add({ tenantId, priority }, started = 0) {
      const tenant = tenantOf(tenantId);
      tenant.since = levelBefore(tenant, started);
      put({ tenantId, priority, jobs: 1 });
      addedSince += 1;
      if (addedSince > Math.max(LEAST_STALE, all * STALE_PART, tenants.size / 2)) sumAnew(started);
    },
    waiting: () =>
      [...tenants].flatMap(([tenantId, { jobs }]) =>
        jobs.flatMap((some, priority) => (some > 0 ? [{ tenantId, priority, jobs: some }] : [])),
      ),
    jobsOf: ({ tenantId, priority }) => tenants.get(tenantId)?.jobs[priority] ?? 0,
  };
}

function newcomer(weight = 1): Tenant {
  return { weight, jobs: [], perStart: [], sum: 0, place: undefined, since: 0 };
}

interface Standing {
  tenant: Tenant;
  job: { priority: number; before: number };
  /** The level that its tenant begins at. */
  since: number;
  started: number;
}

/** How many of a tenant's own go before a job: `jobs`, and `perStart` for each start, until there have been `until` starts. */
interface OwnTurns extends Pick<StartedBy, 'jobs' | 'perStart'> {
  until: number;
}

/** Of another priority there go all that wait and come, but no more than have turns. */
function ownTurns({ tenant, job, started }: Standing, starts: number): OwnTurns {
  const turns = { jobs: job.before, perStart: 0, until: Number.POSITIVE_INFINITY };
  const priorities = Math.max(tenant.jobs.length, tenant.perStart.length);
  for (let other = 0; other < priorities; other += 1) {
    if (other === job.priority) continue;
    const jobs = tenant.jobs[other] ?? 0;
    const perStart = tenant.perStart[other] ?? 0;
    const most = (job.before + 1) * goBefore(other, job.priority);
    const until = most > jobs ? started + (most - jobs) / perStart : started;
    if (starts >= until) turns.jobs += most;
    else {
      turns.jobs += jobs - perStart * started;
      turns.perStart += perStart;
      turns.until = Math.min(turns.until, until);
    }
  }
  return turns;
}

const MOST_STEPS = 20;
const NEAR_ENOUGH = 0.5;

/**
 * Counts the starts until a job is next. Who goes before it depends on how many have come by then, so it is solved by Newton's
 * method: what goes before grows ever more slowly with the starts.
 */
function countStarts(standing: Standing, levels: ServiceLevels): number {
  const { tenant, since, started } = standing;
  const { weight, place } = tenant;
  let starts = started;
  for (let step = 0; step < MOST_STEPS; step += 1) {
    const { jobs, perStart, until } = ownTurns(standing, starts);
    const others = levels.by(since + (jobs + perStart * starts + 1) / weight, place);
    const fixed = others.jobs + others.weight * (since + (jobs + 1) / weight) + jobs;
    const slope = others.perStart + perStart * (1 + others.weight / weight);
    const next = slope < 1 ? Math.min(fixed / (1 - slope), until) : until;
    if (Math.abs(next - starts) < NEAR_ENOUGH) return next;
    starts = next;
  }
  return starts;
}

function sumOf(numbers: Iterable<number | undefined>): number {
  let sum = 0;
  for (const number of numbers) sum += number ?? 0;
  return sum;
}
