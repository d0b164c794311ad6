/**
 * Says how long to wait before the next attempt. Durations are in milliseconds.
 *
 * `schedule` is a list of waits, one per retry, the last of them repeated; webhook deliveries use it.
 */
export type Backoff =
  | { type: 'exponential'; delayMs: number; maxMs: number; jitter: Jitter }
  | { type: 'fixed'; delayMs: number; jitter: Jitter }
  | { type: 'schedule'; delaysMs: number[]; jitter: Jitter };

type Exponential = Extract<Backoff, { type: 'exponential' }>;
type Fixed = Extract<Backoff, { type: 'fixed' }>;
type Schedule = Extract<Backoff, { type: 'schedule' }>;

/** A backoff as a client or a handler gives it: what may be left out is as in `DEFAULT_BACKOFF`. */
export type BackoffRequest =
  | (Partial<Exponential> & Pick<Exponential, 'type'>)
  | (Partial<Fixed> & Pick<Fixed, 'type' | 'delayMs'>)
  | (Partial<Schedule> & Pick<Schedule, 'type' | 'delaysMs'>);

/**
 * `full` picks uniformly from 0 to the wait (AWS Architecture Blog, "Exponential Backoff And Jitter"),
 * `equal` keeps half of it, `none` keeps it whole.
 */
export type Jitter = 'full' | 'equal' | 'none';

export const DEFAULT_BACKOFF: Exponential = {
  type: 'exponential',
  delayMs: 1_000,
  maxMs: 600_000,
  jitter: 'full',
};

/** Whether it is `DEFAULT_BACKOFF`, which nobody has to write down. */
export function isUsual(backoff: Backoff): boolean {
  const { delayMs, maxMs, jitter } = DEFAULT_BACKOFF;
  if (backoff.type !== 'exponential') return false;
  return backoff.delayMs === delayMs && backoff.maxMs === maxMs && backoff.jitter === jitter;
}

/** Fills in what a backoff leaves out. */
export function completeBackoff(backoff: BackoffRequest): Backoff {
  const jitter = backoff.jitter ?? DEFAULT_BACKOFF.jitter;
  if (backoff.type !== 'exponential') return { ...backoff, jitter };
  const { delayMs = DEFAULT_BACKOFF.delayMs, maxMs = DEFAULT_BACKOFF.maxMs } = backoff;
  return { type: 'exponential', delayMs, maxMs, jitter };
}

/**
 * Computes the wait in milliseconds before the attempt that follows `attemptsMade` (1 or more) attempts.
 * `random` is a number from 0 up to, not including, 1.
 */
export function backoffDelayMs(backoff: Backoff, attemptsMade: number, random: number): number {
  const wait = fullWaitMs(backoff, Math.max(1, attemptsMade));
  if (backoff.jitter === 'none') return wait;
  if (backoff.jitter === 'equal') return Math.round(wait / 2 + (wait / 2) * random);
  return Math.round(wait * random);
}

function fullWaitMs(backoff: Backoff, attemptsMade: number): number {
  switch (backoff.type) {
    case 'fixed':
      return backoff.delayMs;
    case 'exponential':
      return Math.min(backoff.maxMs, backoff.delayMs * 2 ** (attemptsMade - 1));
    case 'schedule':
      return backoff.delaysMs[Math.min(attemptsMade, backoff.delaysMs.length) - 1] ?? 0;
  }
}
