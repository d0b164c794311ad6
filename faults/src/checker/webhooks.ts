import { DELIVERY_TYPE } from '@accepted/shared/core/webhook/event';
import type { LedgerJob } from '../ledger-rows.ts';
import type { ReceiverLine } from '../logs.ts';
import type { Evidence } from './evidence.ts';
import { groupBy, type Verdict } from './verdict.ts';

/**
 * I7: each event is delivered or dead-lettered, every try has the same id and the same bytes, every signature is valid.
 *
 * A delivery that failed and waits for its next try, which may be hours away, is neither lost nor delivered: it is
 * counted as `stillTried`.
 */
export function checkWebhooks({ hits, jobs, deadLetters }: Evidence): Verdict {
  const deliveries = jobs.filter((job) => job.type === DELIVERY_TYPE);
  const hitsOf = groupBy(hits, (hit) => hit.webhookId);
  const dead = new Set(deadLetters.map((letter) => letter.jobId));
  const violations = [
    ...untold(jobs, deliveries),
    ...deliveries.flatMap((delivery) =>
      undelivered(delivery, hitsOf.get(delivery.eventId ?? '') ?? [], dead),
    ),
    ...strangeHits(hitsOf, deliveries),
  ];
  const tries = [...hitsOf.values()].filter((group) => group.length > 1);
  return {
    id: 'I7',
    holds: 'Each event is delivered or dead-lettered, always under one id, with the same bytes, signed.',
    figures: {
      events: deliveries.length,
      delivered: deliveries.filter((delivery) => delivery.status === 'succeeded').length,
      deadLettered: deliveries.filter((delivery) => delivery.status === 'failed').length,
      stillTried: deliveries.filter(isWaiting).length,
      deliveredMoreThanOnce: tries.filter((group) => group.filter(wasTaken).length > 1).length,
      eventsTriedAgain: tries.length,
      wrongDeliveries: violations.length,
    },
    violations,
  };
}

const wasTaken = (hit: ReceiverLine) => hit.replied !== null && hit.replied >= 200 && hit.replied < 300;
const isWaiting = (job: LedgerJob) => job.status === 'retrying' && job.attemptsMade > 0;

function untold(jobs: LedgerJob[], deliveries: LedgerJob[]): string[] {
  const told = new Set(deliveries.map((delivery) => delivery.eventJobId));
  return jobs
    .filter((job) => job.hasWebhook && job.status === 'succeeded' && !told.has(job.jobId))
    .map((job) => `${job.jobId} has succeeded and has a webhook, but no delivery.`);
}

function undelivered(delivery: LedgerJob, hits: ReceiverLine[], dead: Set<string>): string[] {
  const what = `The delivery ${delivery.jobId} of ${delivery.eventId}`;
  if (delivery.status === 'succeeded')
    return hits.some(wasTaken) ? [] : [`${what} has succeeded, but the receiver never took it.`];
  if (delivery.status === 'failed')
    return dead.has(delivery.jobId) ? [] : [`${what} failed without a dead letter.`];
  return isWaiting(delivery) ? [] : [`${what} is ${delivery.status}.`];
}

function strangeHits(hitsOf: Map<string, ReceiverLine[]>, deliveries: LedgerJob[]): string[] {
  const deliveryOf = new Map(deliveries.map((delivery) => [delivery.eventId, delivery]));
  return [...hitsOf].flatMap(([webhookId, hits]) => {
    const delivery = deliveryOf.get(webhookId);
    const faults: string[] = [];
    if (!delivery) faults.push(`The receiver got ${webhookId}, which is no event of the ledger.`);
    else if (hits.some((hit) => hit.jobId !== delivery.eventJobId))
      faults.push(`${webhookId} told of another job than ${delivery.eventJobId}.`);
    const bodies = new Set(hits.map((hit) => hit.bodyHash)).size;
    if (bodies > 1) faults.push(`${webhookId} came with ${bodies} different bodies.`);
    const unsigned = hits.filter((hit) => !hit.signatureValid).length;
    if (unsigned > 0) faults.push(`${webhookId} came ${unsigned} times with a signature that is not valid.`);
    return faults;
  });
}
