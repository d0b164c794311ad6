import { type WaitCode, type WaitConditions, whyWaiting } from './explain-wait.ts';
import { gateOf } from './gates.ts';
import type { LineName } from './queue-lines.ts';

/** Jobs that are due and stand in one line, and how long the first of them has been due. */
export type WaitingLine = Pick<LineName, 'tenantId' | 'type' | 'refusedBy' | 'blockedBy'> & {
  jobs: number;
  ageMs: number;
};

/** `position`: nothing holds them up, others are before them. */
export type WaitReason = WaitCode | 'position';

export interface WaitSum {
  reason: WaitReason;
  jobs: number;
  /** How long the one of them has been due that has been so the longest. */
  oldestAgeMs: number;
}

/** Sums jobs up by the hardest of the reasons why they wait, the most jobs first. */
export function waitsByReason(lines: readonly WaitingLine[], conditions: WaitConditions): WaitSum[] {
  const sums = new Map<WaitReason, WaitSum>();
  for (const line of lines) {
    const reason = reasonOf(line, conditions);
    const { jobs, oldestAgeMs } = sums.get(reason) ?? { jobs: 0, oldestAgeMs: 0 };
    sums.set(reason, {
      reason,
      jobs: jobs + line.jobs,
      oldestAgeMs: Math.max(oldestAgeMs, line.ageMs),
    });
  }
  const sorted = [...sums.values()];
  return sorted.sort((one, other) => other.jobs - one.jobs || one.reason.localeCompare(other.reason));
}

/** What waits for a slot of its key waits for that, whoever has the slot just now. */
function reasonOf(line: WaitingLine, conditions: WaitConditions): WaitReason {
  const { tenantId, blockedBy } = line;
  const full =
    blockedBy === null ? conditions.full : new Set([...conditions.full, gateOf.key(tenantId, blockedBy)]);
  return whyWaiting(line, { ...conditions, full })[0] ?? 'position';
}
