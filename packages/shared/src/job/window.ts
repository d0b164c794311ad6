/** How much of the measured throughput the window holds, in seconds: it covers the time to the next refill. */
const BUFFERED_SECONDS = 0.1;

/**
 * Sizes a queue's window: how many dispatched jobs may wait in the engine to be claimed. Enough to keep `concurrency`
 * handlers busy until the next refill, and no more, as what is in the window can no longer be reordered.
 */
export function windowSize(concurrency: number, finishedPerSecond: number): number {
  return 2 * concurrency + Math.ceil(finishedPerSecond * BUFFERED_SECONDS);
}
