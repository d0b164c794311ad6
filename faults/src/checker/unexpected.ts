import { isTerminal } from '@accepted/shared/core/job/status';
import { DELIVERY_TYPE } from '@accepted/shared/core/webhook/event';
import type { LedgerJob } from '../ledger-rows.ts';
import type { Evidence } from './evidence.ts';
import { groupBy, type Verdict } from './verdict.ts';

/**
 * I2: the ledger has no job that nobody asked for. A job whose client only got errors is *recovered*, which is fine:
 * the client asked for it. A delivery is asked for by the end of a job with a webhook, once a replay round.
 */
export function checkUnexpected({ acks, jobs, keys }: Evidence): Verdict {
  const keyOf = new Map(keys.map(({ key, jobId }) => [jobId, key]));
  const asked = new Set(acks.map((ack) => ack.key));
  const accepted = new Set(acks.filter((ack) => ack.outcome === 'accepted').map((ack) => ack.key));
  const submitted = jobs.filter((job) => job.type !== DELIVERY_TYPE);
  const violations: string[] = [];
  let recovered = 0;
  for (const { jobId } of submitted) {
    const key = keyOf.get(jobId);
    if (key === undefined) violations.push(`${jobId} has no idempotency key: a second job was made of one.`);
    else if (!asked.has(key)) violations.push(`${jobId} has the key ${key}, which no client sent.`);
    else if (!accepted.has(key)) recovered += 1;
  }
  violations.push(...unexpectedDeliveries(jobs));
  return {
    id: 'I2',
    holds: 'Nothing is there that nobody asked for.',
    figures: { submitted: submitted.length, recovered, unexpected: violations.length },
    violations,
  };
}

function unexpectedDeliveries(jobs: LedgerJob[]): string[] {
  const jobOf = new Map(jobs.map((job) => [job.jobId, job]));
  const deliveries = jobs.filter((job) => job.type === DELIVERY_TYPE);
  return [...groupBy(deliveries, (delivery) => delivery.eventJobId ?? '')].flatMap(([jobId, told]) => {
    const job = jobOf.get(jobId);
    const mayTell = !job?.hasWebhook ? 0 : job.replayRound + (isTerminal(job.status) ? 1 : 0);
    if (told.length <= mayTell) return [];
    return [`${jobId || 'No job'} is told of by ${told.length} deliveries; ${mayTell} were asked for.`];
  });
}
