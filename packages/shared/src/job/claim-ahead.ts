/** How long a claimed job may wait for a handler, on average: about as long as a claim takes. */
const MAX_WAIT_MS = 10;
/** More would not make batches cheaper, and is what other workers cannot have. */
const MAX_SHARE = 4;

/**
 * Says how many jobs beyond `concurrency` pay to be claimed while all handlers are busy, so that the next one has its
 * job when it is free. Handlers that take long get none ahead: their jobs would wait here while other workers idle.
 */
export function claimAhead(concurrency: number, handlerMs: number): number {
  return Math.min(MAX_SHARE * concurrency, Math.floor((concurrency * MAX_WAIT_MS) / handlerMs));
}
