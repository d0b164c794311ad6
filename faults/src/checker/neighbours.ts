import type { Evidence } from './evidence.ts';
import { mustProve, percentile, type Verdict } from './verdict.ts';

/**
 * From the end of a job to its webhook, in the middle: had the bad receiver taken the places of others, they would all
 * wait for its timeouts. The slowest tell nothing, as the fault before it may have held them up.
 */
const P50_MS = 2_000;
/** Fewer events have no middle to speak of. */
const LEAST_EVENTS = 20;

/** A tenant whose receiver is well gets its webhooks in time while another's receiver hangs, drips or floods. */
export function checkNeighbours(evidence: Evidence): Verdict {
  const delays = neighbourDelays(evidence);
  const bad = evidence.faults.filter(({ kind, fired }) => fired && kind.startsWith('receiver-'));
  const isBeside = (time: number) => bad.some(({ at, endedAt }) => time >= at && time <= endedAt);
  const beside = delays.filter(({ endedAt }) => isBeside(endedAt)).map(({ delayMs }) => delayMs);
  const besideBadReceiverP50Ms = percentile(beside, 0.5);
  const violations: string[] = [];
  if (beside.length >= LEAST_EVENTS && besideBadReceiverP50Ms > P50_MS)
    violations.push(
      `Beside a bad receiver, another tenant's webhooks took ${besideBadReceiverP50Ms} ms (p50).`,
    );
  if (beside.length < LEAST_EVENTS && mustProve(evidence.run))
    violations.push(`${beside.length} events of another tenant beside a bad receiver prove nothing.`);
  return {
    id: 'Others',
    holds: 'A bad receiver does not hold up the webhooks of other tenants.',
    figures: {
      neighbourEvents: delays.length,
      besideBadReceiver: beside.length,
      besideBadReceiverP50Ms,
      besideBadReceiverP99Ms: percentile(beside, 0.99),
    },
    violations,
  };
}

/** How long after the end of each of the neighbour's jobs its receiver first saw the event. */
function neighbourDelays({ acks, jobs, hits }: Evidence): { endedAt: number; delayMs: number }[] {
  const neighbours = new Set(acks.filter(({ kind }) => kind === 'neighbour').map(({ jobId }) => jobId));
  const firstHit = new Map<string, number>();
  for (const { jobId, at } of hits)
    if (jobId !== null) firstHit.set(jobId, Math.min(at, firstHit.get(jobId) ?? at));
  return jobs.flatMap(({ jobId, finishedAt }) => {
    const hitAt = firstHit.get(jobId);
    if (!neighbours.has(jobId) || finishedAt === null || hitAt === undefined) return [];
    return [{ endedAt: finishedAt, delayMs: hitAt - finishedAt }];
  });
}
