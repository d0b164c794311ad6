import { isTerminal } from '@accepted/shared/core/job/status';
import type { Evidence } from './evidence.ts';
import type { Verdict } from './verdict.ts';

/** I1: a job that anybody got a 202 for is in the ledger and has ended. Replies before the last one are promises too. */
export function checkLost({ acks, jobs }: Evidence): Verdict {
  const statusOf = new Map(jobs.map((job) => [job.jobId, job.status]));
  const acknowledged = new Set<string>();
  const violations: string[] = [];
  for (const { outcome, jobId, key } of acks) {
    if (outcome !== 'accepted' || jobId === null || acknowledged.has(jobId)) continue;
    acknowledged.add(jobId);
    const status = statusOf.get(jobId);
    if (status === undefined) violations.push(`${jobId} (key ${key}) was acknowledged and is not there.`);
    else if (!isTerminal(status)) violations.push(`${jobId} (key ${key}) was acknowledged and is ${status}.`);
  }
  return {
    id: 'I1',
    holds: 'Every acknowledged job ends.',
    figures: { acknowledged: acknowledged.size, lost: violations.length },
    violations,
  };
}
