import type { FaultKind } from '../kinds.ts';
import type { LedgerAttempt, LedgerJob } from '../ledger-rows.ts';
import type { WipeLine } from '../logs.ts';
import { acceptLatencies } from './accept-latencies.ts';
import type { Evidence } from './evidence.ts';
import { groupBy, mustProve, percentile, type Verdict } from './verdict.ts';

/** What the design promises of a run under faults. */
const BOUNDS = { recoveryP99Ms: 15_000, acceptP99Ms: 250, redispatchesPerJob: 2 };
/**
 * What may be dispatched in vain beside what was wiped: a process that dies between two stores costs a window at most,
 * most faults cost nothing. Runs of 104 faults had 7 to 9 a fault; taking back whatever is old costs a window a fault.
 */
const BESIDE_WIPES = { perFault: 10, once: 300 };
/** Whoever pauses something has all of it taken back that is in the engine: a window of each build, and each of it costs two. */
const PER_PAUSE = 600;
const PAUSES: readonly FaultKind[] = ['queue-paused', 'type-paused', 'tenant-paused'];

/** I8: what a wipe took is claimed again in time, clients do not notice that Redis is away, and queues drain. */
export function checkRecovery(evidence: Evidence): Verdict {
  const { run, faults } = evidence;
  const { timesMs, violations } = measureWipes(evidence);
  const { withoutRedis, undisturbed } = acceptLatencies(evidence.acks);
  const undisturbedP99Ms = percentile(undisturbed, 0.99);
  const redispatches = countRedispatches(evidence);
  const neverRecovered = faults.filter((fault) => fault.fired && fault.recoveredAt === null);
  const recoveryP99Ms = percentile(timesMs, 0.99);
  const acceptP99Ms = percentile(withoutRedis, 0.99);
  if (run.drainedAt === null) violations.push('The queues were not drained when the time was over.');
  if (recoveryP99Ms > BOUNDS.recoveryP99Ms)
    violations.push(`After a wipe it took ${recoveryP99Ms} ms (p99) until the jobs were claimed again.`);
  if (acceptP99Ms > acceptBoundMs(run.size, undisturbedP99Ms))
    violations.push(
      `While Redis was away a 202 took ${acceptP99Ms} ms (p99), undisturbed ${undisturbedP99Ms} ms.`,
    );
  const fired = faults.filter((fault) => fault.fired).length;
  const pauses = faults.filter((fault) => fault.fired && PAUSES.includes(fault.kind)).length;
  const mostRedispatches = redispatchBound({
    jobs: evidence.jobs.length,
    wiped: timesMs.length,
    fired,
    pauses,
  });
  if (redispatches > mostRedispatches)
    violations.push(
      `${redispatches} dispatches led to no claim; after the loss of ${timesMs.length} jobs ${mostRedispatches} may.`,
    );
  violations.push(
    ...unproven(evidence, { jobsWiped: timesMs.length, acceptsWithoutRedis: withoutRedis.length }),
  );
  violations.push(
    ...neverRecovered.map(
      ({ kind, target }) => `After ${kind} on ${target} no job went all the way through.`,
    ),
  );
  return {
    id: 'I8',
    holds: 'Recovery has a bound, a 202 does not wait for Redis, and queues drain.',
    figures: {
      wipes: evidence.wipes.length,
      jobsWiped: timesMs.length,
      recoveryP50Ms: percentile(timesMs, 0.5),
      recoveryP99Ms,
      recoveryMaxMs: percentile(timesMs, 1),
      acceptsWithoutRedis: withoutRedis.length,
      acceptP99Ms,
      undisturbedP99Ms,
      redispatches,
      mostRedispatches,
      drainedAfterMs: run.drainedAt === null ? 0 : run.drainedAt - run.loadEndedAt,
    },
    violations,
  };
}

/** What is small because nothing was there to be measured has proved nothing. */
function unproven({ run }: Evidence, counts: { jobsWiped: number; acceptsWithoutRedis: number }): string[] {
  if (!mustProve(run)) return [];
  const missing: string[] = [];
  if (counts.jobsWiped === 0)
    missing.push('No wipe took a job that waited: the run proves nothing of the recovery.');
  if (run.engine === 'redis' && counts.acceptsWithoutRedis === 0)
    missing.push('No job was accepted while Redis was away: the run proves nothing of that.');
  return missing;
}

/** How many times as long as undisturbed a 202 may take, where a machine is too slow for the bound even undisturbed. */
const SLOWER_THAN_UNDISTURBED = { small: 2, larger: 1.5 };

/**
 * Answers what a 202 may take, at the 99th percentile, while Redis is away. Processes that start all the time may leave a
 * small machine less than the bound asks for also where no fault is; there Redis must make next to no difference. A small
 * run is one of many tests on such a machine.
 */
function acceptBoundMs(size: string, undisturbedP99Ms: number): number {
  const times = size === 'small' ? SLOWER_THAN_UNDISTURBED.small : SLOWER_THAN_UNDISTURBED.larger;
  return Math.max(BOUNDS.acceptP99Ms, times * undisturbedP99Ms);
}

/** Taking a lost job back uses a number and dispatching it again another one, so each may cost two. */
function redispatchBound({
  jobs,
  wiped,
  fired,
  pauses,
}: Record<'jobs' | 'wiped' | 'fired' | 'pauses', number>): number {
  const beside = BESIDE_WIPES.perFault * fired + BESIDE_WIPES.once + PER_PAUSE * pauses;
  const lost = BOUNDS.redispatchesPerJob * wiped + beside;
  return Math.min(BOUNDS.redispatchesPerJob * jobs, lost);
}

/**
 * Tells how long after the wipe, in milliseconds, each job that it took was claimed again. One that the next wipe took as
 * well, before anybody could claim it, counts from there.
 */
export function recoveryTimesMs(
  wipe: WipeLine,
  { wipes, attemptsOf }: { wipes: WipeLine[]; attemptsOf: Map<string, LedgerAttempt[]> },
): { jobId: string; tookMs: number | undefined }[] {
  return wipe.jobs.flatMap(({ jobId, attempt: before }) => {
    const claims = (attemptsOf.get(jobId) ?? []).filter(({ attempt }) => attempt > before);
    const claimedAt = Math.min(...claims.map((claim) => claim.startedAt));
    const isAgain = (other: WipeLine) =>
      other.at > wipe.at && other.at < claimedAt && takes(other, jobId, before);
    if (wipes.some(isAgain)) return [];
    // A start is when its claim's transaction began, which may have waited for the wipe to look.
    return { jobId, tookMs: claims.length > 0 ? Math.max(0, claimedAt - wipe.at) : undefined };
  });
}

function takes({ jobs }: WipeLine, jobId: string, attempt: number): boolean {
  return jobs.some((job) => job.jobId === jobId && job.attempt === attempt);
}

/** A job that is less urgent than most waits for all others, wiped or not, for as long as more is asked than can be done. */
export function jobsThatMayWait(jobs: LedgerJob[]): Set<string> {
  return new Set(jobs.filter((job) => job.priority === 'low').map((job) => job.jobId));
}

function measureWipes({ wipes, attempts, jobs }: Evidence): { timesMs: number[]; violations: string[] } {
  const attemptsOf = groupBy(attempts, (attempt) => attempt.jobId);
  // What was canceled or expired meanwhile has no claim to wait for.
  const ended = new Set(
    jobs.filter((job) => job.status === 'canceled' || job.status === 'expired').map((job) => job.jobId),
  );
  const mayWait = jobsThatMayWait(jobs);
  const timesMs: number[] = [];
  const violations: string[] = [];
  for (const wipe of wipes) {
    for (const { jobId, tookMs } of recoveryTimesMs(wipe, { wipes, attemptsOf })) {
      if (tookMs !== undefined && !mayWait.has(jobId)) timesMs.push(tookMs);
      else if (tookMs === undefined && !ended.has(jobId))
        violations.push(`${jobId} was wiped by ${wipe.kind} and never claimed again.`);
    }
  }
  return { timesMs, violations };
}

/**
 * Counts dispatch numbers that no claim used up. Taking a job back uses one as well, so this is at most twice the
 * dispatches that were in vain.
 */
function countRedispatches({ jobs }: Evidence): number {
  return jobs.reduce((sum, job) => sum + Math.max(0, job.dispatchNo - Math.max(1, job.attempt)), 0);
}
