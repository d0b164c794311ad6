/** How much of the measured throughput the window holds, in seconds: it covers the time from one refill to the outcomes of the next. */
const BUFFERED_SECONDS = 0.2;
/** Jobs in flight for each handler: one that runs, and what is there when it ends. */
const JOBS_A_HANDLER = 3;
/** The weight of the newest measurement in the moving average. */
const SMOOTHING = 0.5;
/** Until a job that a turn has chosen is delivered and claimed. */
const ON_ITS_WAY_MS = 20;
const MEASURED_OVER_MS = 20;
const MAX_WAIT_MS = 100;

/**
 * Sizes a lane's window: how many jobs may be in flight through it. Enough to keep `concurrency` handlers busy until the next
 * refill, and no more, as what is in the window can no longer be reordered.
 */
export function windowSize(concurrency: number, endedPerSecond: number): number {
  return JOBS_A_HANDLER * concurrency + Math.ceil(endedPerSecond * BUFFERED_SECONDS);
}

/**
 * Sizes what of a lane's window may be jobs whose handlers are not known to be quick, where those take `slowMs`, and the dispatcher
 * looks again after `lookAgainMs`: what waits in the engine has an order that no longer heeds weights, priorities and newcomers,
 * and behind slow handlers it waits for long. So no more go ahead than end until the next ones are there.
 */
export function slowWindowSize(concurrency: number, slowMs: number, lookAgainMs: number): number {
  return concurrency + Math.ceil((concurrency * (lookAgainMs / 2 + ON_ITS_WAY_MS)) / slowMs);
}

/** What a dispatcher knows of a lane's window from its last turns. */
export interface WindowState {
  inFlight: number;
  endedPerSecond: number;
  /** Jobs that left the window since the rate was last measured, and when that was. */
  left: number;
  measuredAtMs: number;
}

/**
 * Follows the window from turn to turn: `inFlightBefore` jobs were left in it when the turn began, `dispatched` came to it.
 * Those that a wipe took look as if they had ended; as nothing is measured over less than a moment, they do not make much
 * of a rate.
 */
export function followWindow(
  last: WindowState | undefined,
  turn: { inFlightBefore: number; dispatched: number; atMs: number },
): WindowState {
  const inFlight = turn.inFlightBefore + turn.dispatched;
  if (!last) return { inFlight, endedPerSecond: 0, left: 0, measuredAtMs: turn.atMs };
  const left = last.left + Math.max(0, last.inFlight - turn.inFlightBefore);
  const elapsedMs = turn.atMs - last.measuredAtMs;
  if (elapsedMs < MEASURED_OVER_MS) return { ...last, inFlight, left };
  const measured = (left / elapsedMs) * 1_000;
  const endedPerSecond = SMOOTHING * measured + (1 - SMOOTHING) * last.endedPerSecond;
  return { inFlight, endedPerSecond, left: 0, measuredAtMs: turn.atMs };
}

/** Estimates in how many milliseconds half of what may wait is used up and it pays to refill the window; 100 at most. */
export function refillInMs(
  { inFlight, endedPerSecond }: Pick<WindowState, 'inFlight' | 'endedPerSecond'>,
  { size, concurrency }: { size: number; concurrency: number },
): number {
  const surplus = inFlight - (size + concurrency) / 2;
  if (surplus <= 0) return 0;
  return Math.min(MAX_WAIT_MS, (surplus / endedPerSecond) * 1_000);
}
