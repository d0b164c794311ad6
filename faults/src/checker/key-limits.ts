import type { Evidence } from './evidence.ts';
import { jobStaysOf } from './stays.ts';
import { groupBy, mustProve, type Verdict } from './verdict.ts';

/**
 * Of jobs with the same concurrency key, one runs at once, whatever type and queue they are of and whatever was wiped or dispatched
 * again: what the engine has forgotten, the ledger has not. Told by the times at which handlers began and had their effect.
 */
export function checkKeyLimits(evidence: Evidence): Pick<Verdict, 'figures' | 'violations'> {
  const limited = evidence.jobs.filter((job) => job.concurrencyKey !== null && job.status === 'succeeded');
  const violations: string[] = [];
  let waited = 0;
  let waitedForOtherQueue = 0;
  const stays = jobStaysOf(limited, evidence);
  for (const [key, inOrder] of groupBy(stays, ({ job }) => job.concurrencyKey ?? '')) {
    for (const [index, next] of inOrder.entries()) {
      const before = inOrder[index - 1];
      if (!before) continue;
      if (next.from < before.to)
        violations.push(`${before.jobId} and ${next.jobId} ran at once under the key ${key}.`);
      if (next.job.createdAt >= before.to) continue;
      waited += 1;
      if (next.job.queue !== before.job.queue) waitedForOtherQueue += 1;
    }
  }
  const limitedIds = new Set(limited.map(({ jobId }) => jobId));
  const wiped = evidence.wipes.flatMap((wipe) => wipe.jobs).filter(({ jobId }) => limitedIds.has(jobId));
  const overlaps = violations.length;
  if (mustProve(evidence.run) && waited === 0)
    violations.push('No job had to wait for another of its key: the run proves nothing of limits.');
  if (mustProve(evidence.run) && waited > 0 && waitedForOtherQueue === 0)
    violations.push(
      'No job had to wait for one of its key in another queue: the run proves nothing of that.',
    );
  return {
    figures: {
      limitedJobs: limited.length,
      hadToWait: waited,
      hadToWaitForOtherQueue: waitedForOtherQueue,
      wiped: wiped.length,
      ranAtOnce: overlaps,
    },
    violations,
  };
}
