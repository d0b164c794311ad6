/** How long the jobs of one delivery may take one after the other: several times what it takes to deliver and claim. */
const DELIVERY_MS = 50;
const MAX_JOBS = 50;

/**
 * Divides jobs, in the order given, into deliveries. Handlers that take long get one job each, so that every idle
 * worker has its share; while handlers are quick, to deliver a job costs more than to run it, and several go together.
 * No worker is given more than its part of the jobs, however quick it is.
 */
export function intoDeliveries<Job>(
  jobs: readonly Job[],
  { handlerMs, workers }: { handlerMs: number; workers: number },
): Job[][] {
  const whileQuick = Math.min(MAX_JOBS, Math.floor(DELIVERY_MS / handlerMs));
  const size = Math.max(1, Math.min(whileQuick, Math.ceil(jobs.length / workers)));
  return Array.from({ length: Math.ceil(jobs.length / size) }, (_, index) =>
    jobs.slice(index * size, (index + 1) * size),
  );
}
