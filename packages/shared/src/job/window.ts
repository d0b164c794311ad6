/** How much of the measured throughput the window holds, in seconds: it covers the time to the next refill. */
const BUFFERED_SECONDS = 0.1;
/** The weight of the newest measurement in the moving average. */
const SMOOTHING = 0.5;
const MAX_WAIT_MS = 100;

/**
 * Sizes a queue's window: how many dispatched jobs may wait in the engine to be claimed. Enough to keep `concurrency`
 * handlers busy until the next refill, and no more, as what is in the window can no longer be reordered.
 */
export function windowSize(concurrency: number, claimedPerSecond: number): number {
  return 2 * concurrency + Math.ceil(claimedPerSecond * BUFFERED_SECONDS);
}

/** What one dispatcher knows of its queue's window from its last turn. */
export interface WindowState {
  /** Jobs in the engine that nobody has claimed yet. */
  waiting: number;
  claimedPerSecond: number;
  atMs: number;
}

/**
 * Follows the window from turn to turn: `waitingBefore` jobs were left in it when the turn began, `dispatched` came to it.
 * Jobs that other dispatchers add meanwhile make the rate look smaller, never larger.
 */
export function followWindow(
  last: WindowState | undefined,
  turn: { waitingBefore: number; dispatched: number; atMs: number },
): WindowState {
  const waiting = turn.waitingBefore + turn.dispatched;
  const seconds = last ? (turn.atMs - last.atMs) / 1_000 : 0;
  if (!last || seconds <= 0)
    return { waiting, claimedPerSecond: last?.claimedPerSecond ?? 0, atMs: turn.atMs };
  const measured = Math.max(0, last.waiting - turn.waitingBefore) / seconds;
  const claimedPerSecond = SMOOTHING * measured + (1 - SMOOTHING) * last.claimedPerSecond;
  return { waiting, claimedPerSecond, atMs: turn.atMs };
}

/** Estimates in how many milliseconds half of the window is used up and it pays to refill it; 100 at most. */
export function refillInMs({ waiting, claimedPerSecond }: WindowState, size: number): number {
  const surplus = waiting - size / 2;
  if (surplus <= 0) return 0;
  return Math.min(MAX_WAIT_MS, (surplus / claimedPerSecond) * 1_000);
}
