import { isTerminal } from '@accepted/shared/core/job/status';
import { JOB_KINDS, type JobKind } from '../kinds.ts';
import type { LedgerAttempt, LedgerJob } from '../ledger-rows.ts';
import type { Evidence } from './evidence.ts';
import { groupBy, type Verdict } from './verdict.ts';

/** The kinds that kill their worker, and end as poison. */
const POISONOUS: ReadonlySet<JobKind> = new Set(['poison', 'leaking']);

/**
 * I9: no job has more attempts than it may, poison ends as poison, and every other job ends as its kind should. A long
 * job that ran beside poison has lost no attempt to it; where none of them was interrupted, nothing is proved of that.
 */
export function checkAttemptLimits(evidence: Evidence): Verdict {
  const { acks, jobs, keys, attempts, deadLetters, faults } = evidence;
  const kindOfKey = new Map(acks.map((ack) => [ack.key, ack.kind]));
  const kindOf = new Map(keys.map(({ key, jobId }) => [jobId, kindOfKey.get(key)]));
  const attemptsOf = groupBy(attempts, (attempt) => attempt.jobId);
  const poisoned = new Set(deadLetters.filter(({ reason }) => reason === 'poison').map(({ jobId }) => jobId));
  const overdrawn = jobs.flatMap((job) => tooManyAttempts(job, attemptsOf.get(job.jobId) ?? []));
  const wrongEnds = jobs.flatMap((job) => wrongEnd(job, kindOf.get(job.jobId), poisoned.has(job.jobId)));
  const bystanders = jobs.filter((job) => kindOf.get(job.jobId) === 'bystander');
  const attemptsOfBystanders = bystanders.flatMap(({ jobId }) => attemptsOf.get(jobId) ?? []);
  const harmed = attemptsOfBystanders.flatMap(harm);
  const ranBeside = new Set(attemptsOfBystanders.filter(isGivenBack).map(({ jobId }) => jobId));
  const provesNothing =
    ranBeside.size === 0 && faults.some(({ kind, fired }) => fired && kind === 'poison-beside-innocents');
  return {
    id: 'I9',
    holds: 'Attempts stay within their limit, and poison harms only itself.',
    figures: {
      overdrawn: overdrawn.length,
      poisoned: poisoned.size,
      deadLetters: deadLetters.length,
      wrongEnds: wrongEnds.length,
      bystanders: bystanders.length,
      bystandersInterrupted: ranBeside.size,
      attemptsLostByBystanders: harmed.length,
    },
    violations: [
      ...overdrawn,
      ...wrongEnds,
      ...harmed,
      ...(provesNothing
        ? ['No long job was interrupted by poison: the run proves nothing of innocents.']
        : []),
    ],
  };
}

/** Nothing but poison happens to these while they run, and that must not count for them. */
function harm({ jobId, attempt, outcome }: LedgerAttempt): string[] {
  const isHarmless = outcome === 'succeeded' || outcome === 'released';
  return isHarmless ? [] : [`Attempt ${attempt} of ${jobId} (bystander) ended as ${outcome}, of others.`];
}

function isGivenBack({ outcome }: LedgerAttempt): boolean {
  return outcome === 'released';
}

/** A released attempt was given back: it is on record, but does not count. */
function tooManyAttempts(job: LedgerJob, attempts: LedgerAttempt[]): string[] {
  const counted = attempts.filter((attempt) => attempt.outcome !== 'released');
  const byRound = [...groupBy(counted, (attempt) => String(attempt.replayRound)).values()];
  const most = Math.max(job.attemptsMade, ...byRound.map((round) => round.length));
  return most > job.maxAttempts ? [`${job.jobId} had ${most} attempts of ${job.maxAttempts}.`] : [];
}

function wrongEnd(job: LedgerJob, kind: JobKind | undefined, isPoisoned: boolean): string[] {
  if (kind === undefined) return isPoisoned ? [`${job.jobId}, a ${job.type}, died as poison.`] : [];
  const isPoison = POISONOUS.has(kind);
  if (isPoisoned && !isPoison) return [`${job.jobId} (${kind}) died as poison, of others.`];
  if (isPoison && job.status === 'failed' && !isPoisoned)
    return [`${job.jobId} (${kind}) failed, but not as poison.`];
  const mayEnd: readonly string[] = JOB_KINDS[kind];
  // A job that has not ended at all is lost, which is another invariant.
  if (!isTerminal(job.status) || mayEnd.includes(job.status)) return [];
  return [`${job.jobId} (${kind}) ended as ${job.status}.`];
}
