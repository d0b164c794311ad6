import type { LedgerJob } from '../ledger-rows.ts';
import type { Evidence } from './evidence.ts';
import { groupBy, mustProve, type Verdict } from './verdict.ts';

/** From the first line of a handler to its effect. */
interface Stay {
  job: LedgerJob;
  from: number;
  to: number;
}

/**
 * Of jobs with the same concurrency key, one runs at once, whatever was wiped or dispatched again: what the engine has
 * forgotten, the ledger has not. Told by the times at which handlers began and had their effect; attempts that did not
 * succeed are left out, as a zombie's may go on while its job is somebody else's.
 */
export function checkLimits(evidence: Evidence): Verdict {
  const limited = evidence.jobs.filter((job) => job.concurrencyKey !== null && job.status === 'succeeded');
  const stays = staysOf(limited, evidence);
  const violations: string[] = [];
  let waited = 0;
  for (const [key, together] of groupBy(stays, ({ job }) => job.concurrencyKey ?? '')) {
    const inOrder = together.toSorted((a, b) => a.from - b.from);
    for (const [index, next] of inOrder.entries()) {
      const before = inOrder[index - 1];
      if (!before) continue;
      if (next.from < before.to)
        violations.push(`${before.job.jobId} and ${next.job.jobId} ran at once under the key ${key}.`);
      if (next.job.createdAt < before.to) waited += 1;
    }
  }
  const limitedIds = new Set(limited.map(({ jobId }) => jobId));
  const wiped = evidence.wipes.flatMap((wipe) => wipe.jobs).filter(({ jobId }) => limitedIds.has(jobId));
  const overlaps = violations.length;
  if (waited === 0 && mustProve(evidence.run))
    violations.push('No job had to wait for another of its key: the run proves nothing of limits.');
  return {
    id: 'Limits',
    holds: 'Of jobs with one concurrency key, one runs at once, also after a wipe.',
    figures: { limitedJobs: limited.length, hadToWait: waited, wiped: wiped.length, ranAtOnce: overlaps },
    violations,
  };
}

function staysOf(jobs: LedgerJob[], { attempts, effects }: Evidence): Stay[] {
  const jobOf = new Map(jobs.map((job) => [job.jobId, job]));
  const linesOf = groupBy(
    effects.filter(({ jobId }) => jobOf.has(jobId)),
    (line) => `${line.jobId} ${line.token}`,
  );
  return attempts.flatMap(({ jobId, attempt, outcome }) => {
    const job = jobOf.get(jobId);
    const lines = linesOf.get(`${jobId} ${attempt}`) ?? [];
    const from = lines.find((line) => line.phase === 'start')?.at;
    const to = lines.find((line) => line.phase === 'effect')?.at;
    const isWhole = job && outcome === 'succeeded' && from !== undefined && to !== undefined;
    return isWhole ? [{ job, from, to }] : [];
  });
}
