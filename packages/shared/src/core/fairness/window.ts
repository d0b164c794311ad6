/** How much of the measured throughput the window holds, in seconds: it covers the time to the next refill. */
const BUFFERED_SECONDS = 0.1;
/** The weight of the newest measurement in the moving average. */
const SMOOTHING = 0.5;
const MEASURED_OVER_MS = 20;
const MAX_WAIT_MS = 100;

/**
 * Sizes a queue's window: how many dispatched jobs may wait in the engine to be claimed. Enough to keep `concurrency`
 * handlers busy until the next refill, and no more, as what is in the window can no longer be reordered.
 */
export function windowSize(concurrency: number, claimedPerSecond: number): number {
  return 2 * concurrency + Math.ceil(claimedPerSecond * BUFFERED_SECONDS);
}

/** What one dispatcher knows of its queue's window from its last turns. */
export interface WindowState {
  /** Jobs in the engine that nobody has claimed yet. */
  waiting: number;
  claimedPerSecond: number;
  /** Jobs that left the window since the rate was last measured, and when that was. */
  left: number;
  measuredAtMs: number;
}

/**
 * Follows the window from turn to turn: `waitingBefore` jobs were left in it when the turn began, `dispatched` came to it.
 * Jobs that other dispatchers add meanwhile make the rate look smaller. Those that a wipe took look as if they had been
 * claimed; as nothing is measured over less than a moment, they do not make much of a rate.
 */
export function followWindow(
  last: WindowState | undefined,
  turn: { waitingBefore: number; dispatched: number; atMs: number },
): WindowState {
  const waiting = turn.waitingBefore + turn.dispatched;
  if (!last) return { waiting, claimedPerSecond: 0, left: 0, measuredAtMs: turn.atMs };
  const left = last.left + Math.max(0, last.waiting - turn.waitingBefore);
  const elapsedMs = turn.atMs - last.measuredAtMs;
  if (elapsedMs < MEASURED_OVER_MS) return { ...last, waiting, left };
  const measured = (left / elapsedMs) * 1_000;
  const claimedPerSecond = SMOOTHING * measured + (1 - SMOOTHING) * last.claimedPerSecond;
  return { waiting, claimedPerSecond, left: 0, measuredAtMs: turn.atMs };
}

/** Estimates in how many milliseconds half of the window is used up and it pays to refill it; 100 at most. */
export function refillInMs(
  { waiting, claimedPerSecond }: Pick<WindowState, 'waiting' | 'claimedPerSecond'>,
  size: number,
): number {
  const surplus = waiting - size / 2;
  if (surplus <= 0) return 0;
  return Math.min(MAX_WAIT_MS, (surplus / claimedPerSecond) * 1_000);
}
