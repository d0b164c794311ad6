import type { Evidence } from './evidence.ts';
import { groupBy, mustProve, type Verdict } from './verdict.ts';

/** I3: all replies to one idempotency key name one job, which is the one that the ledger has under that key. */
export function checkOneJobPerKey({ acks, keys, run }: Evidence): Verdict {
  const holderOf = new Map(keys.map(({ key, jobId }) => [key, jobId]));
  const byKey = groupBy(acks, (ack) => ack.key);
  const violations: string[] = [];
  let repeated = 0;
  for (const [key, replies] of byKey) {
    const accepted = replies.filter((reply) => reply.outcome === 'accepted');
    if (accepted.length > 1) repeated += 1;
    const named = new Set(accepted.map((reply) => reply.jobId ?? 'a reply without an id'));
    const held = holderOf.get(key);
    if (named.size > 1) violations.push(`The replies to key ${key} name ${[...named].join(', ')}.`);
    else if (named.size === 1 && held === undefined)
      violations.push(`Key ${key} was accepted and is not there.`);
    else if (held !== undefined && named.size === 1 && !named.has(held))
      violations.push(`The reply to key ${key} names ${[...named].join()}; the ledger has ${held}.`);
  }
  for (const [jobId, held] of groupBy(keys, (row) => row.jobId))
    if (held.length > 1) violations.push(`${jobId} is held by ${held.length} keys.`);
  if (repeated === 0 && mustProve(run))
    violations.push('No key was answered twice: the run proves nothing of replies that agree.');
  return {
    id: 'I3',
    holds: 'One key makes one job, and every reply names it.',
    figures: { keys: byKey.size, keysAnsweredAgain: repeated, disagreements: violations.length },
    violations,
  };
}
