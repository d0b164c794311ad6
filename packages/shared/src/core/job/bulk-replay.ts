/** Names every status of a bulk replay. `canary` and `running` go on; the others are for good. */
export const BULK_REPLAY_STATUSES = ['canary', 'running', 'completed', 'stopped', 'canceled'] as const;

export type BulkReplayStatus = (typeof BULK_REPLAY_STATUSES)[number];

/** How far a bulk replay has come, as far as its next step depends on it. */
export interface BulkReplayProgress {
  status: BulkReplayStatus;
  /** How many dead letters are to be replayed before the others. */
  canary: number;
  /** How many were replayed, counted up to `canary`. */
  tried: number;
  hasPending: boolean;
  /** Whether a replayed job is not finished yet. */
  hasUnfinished: boolean;
  /** Whether a replayed job ended otherwise than succeeded. */
  hasFailed: boolean;
}

/** What to do next: replay at most `replay` dead letters, and stand at `status` then. */
export interface BulkReplayStep {
  status: BulkReplayStatus;
  replay: number;
  isFinished: boolean;
}

/**
 * Decides the next step of a bulk replay. Pure. While it stands at `canary` no more than the canaries are replayed;
 * the rest waits until all of them are finished, and is never replayed when one of them did not succeed.
 */
export function nextBulkReplayStep(progress: BulkReplayProgress): BulkReplayStep {
  const { status, canary, tried, hasPending, hasUnfinished, hasFailed } = progress;
  if (status === 'canary') {
    if (hasFailed) return { status: 'stopped', replay: 0, isFinished: !hasUnfinished };
    if (tried < canary && hasPending) return { status, replay: canary - tried, isFinished: false };
    if (hasUnfinished) return { status, replay: 0, isFinished: false };
    return nextBulkReplayStep({ ...progress, status: 'running' });
  }
  if (status !== 'running') return { status, replay: 0, isFinished: !hasUnfinished };
  if (hasPending) return { status, replay: Number.POSITIVE_INFINITY, isFinished: false };
  if (hasUnfinished) return { status, replay: 0, isFinished: false };
  return { status: 'completed', replay: 0, isFinished: true };
}
