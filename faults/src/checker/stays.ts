import type { LedgerJob } from '../ledger-rows.ts';
import type { Evidence } from './evidence.ts';

/** One run of a handler, from its first line to its effect. */
export interface Stay {
  jobId: string;
  token: number;
  from: number;
  to: number;
}

/** Finds the runs of the handlers of these jobs that came to their effect, in the order of their effects. */
export function staysOf(
  { effects }: Pick<Evidence, 'effects'>,
  isWanted: (jobId: string) => boolean,
): Stay[] {
  const begun = new Map<string, number>();
  const stays: Stay[] = [];
  const lines = effects.filter(({ jobId }) => isWanted(jobId));
  for (const { jobId, token, phase, at } of lines.toSorted((one, other) => one.at - other.at)) {
    const run = `${jobId} ${token}`;
    const from = begun.get(run);
    if (phase === 'start') begun.set(run, at);
    else if (from !== undefined) stays.push({ jobId, token, from, to: at });
  }
  return stays;
}

/** Leaves out the attempts that did not succeed: a zombie's may go on while its job is somebody else's. */
export function succeededStaysOf(
  evidence: Pick<Evidence, 'effects' | 'attempts'>,
  isWanted: (jobId: string) => boolean,
): Stay[] {
  const succeeded = new Set(
    evidence.attempts.flatMap(({ jobId, attempt, outcome }) =>
      outcome === 'succeeded' && isWanted(jobId) ? [`${jobId} ${attempt}`] : [],
    ),
  );
  return staysOf(evidence, isWanted).filter(({ jobId, token }) => succeeded.has(`${jobId} ${token}`));
}

/** A run of a handler with its job, whose attempt succeeded. */
export interface JobStay extends Stay {
  job: LedgerJob;
}

/** Finds the runs of these jobs that succeeded, in the order of their beginning. */
export function jobStaysOf(jobs: LedgerJob[], evidence: Evidence): JobStay[] {
  const jobOf = new Map(jobs.map((job) => [job.jobId, job]));
  return succeededStaysOf(evidence, (jobId) => jobOf.has(jobId))
    .flatMap((stay) => {
      const job = jobOf.get(stay.jobId);
      return job ? [{ ...stay, job }] : [];
    })
    .toSorted((one, other) => one.from - other.from);
}
