import { type FaultKind, traitsOf } from '../kinds.ts';
import type { AckLine } from '../logs.ts';

/**
 * For how long after a refusal 202s tell nothing of Redis. Whoever was refused comes back after `Retry-After`, which clients
 * here follow up to 1 s: all of them at once when what refused them is well again, and each then waits for the others.
 */
const CROWD_RETURNS_MS = 1_500;

/**
 * Answers how long 202s took, in milliseconds: `withoutRedis` while nothing but Redis was away, `undisturbed` while nothing
 * was. Left out is what another fault could have slowed, also one that is over and whose refused clients return.
 */
export function acceptLatencies(acks: AckLine[]): { withoutRedis: number[]; undisturbed: number[] } {
  const accepted = acks.filter(({ outcome }) => outcome === 'accepted');
  const apart = leaveOutCrowds(accepted, acks.filter(isRefusedByOthers));
  const latenciesOf = (kept: AckLine[]) => kept.map(({ latencyMs }) => latencyMs);
  return {
    withoutRedis: latenciesOf(apart.filter(({ during }) => during?.every(isRedisAway))),
    undisturbed: latenciesOf(apart.filter(({ during }) => during === null)),
  };
}

function isRedisAway(kind: FaultKind): boolean {
  return traitsOf(kind).redisDown === true;
}

/** What is refused because Redis is away speaks against us, and excuses nothing. */
function isRefusedByOthers({ outcome, during }: AckLine): boolean {
  return outcome === 'refused' && !during?.every(isRedisAway);
}

function leaveOutCrowds(accepted: AckLine[], refused: AckLine[]): AckLine[] {
  const refusedAt = refused.map(({ at }) => at).toSorted((a, b) => a - b);
  const startOf = ({ at, latencyMs }: AckLine) => at - latencyMs;
  const inOrder = accepted.toSorted((one, other) => startOf(one) - startOf(other));
  let next = 0;
  return inOrder.filter((ack) => {
    while ((refusedAt[next] ?? Number.POSITIVE_INFINITY) <= startOf(ack)) next += 1;
    const last = refusedAt[next - 1] ?? Number.NEGATIVE_INFINITY;
    return startOf(ack) - last >= CROWD_RETURNS_MS;
  });
}
