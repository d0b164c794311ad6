/** How long the jobs of one delivery may take one after the other: several times what it takes to deliver and claim. */
const DELIVERY_MS = 50;
const MAX_JOBS = 50;

export interface DeliveryOptions {
  /** How long quick handlers take. */
  handlerMs: number;
  quickTypes: ReadonlySet<string>;
  /** How many workers there are to take the jobs. */
  workers: number;
}

/**
 * Divides jobs into deliveries, in the order of the first job of each. Handlers that take long get one job each, so that
 * every idle worker has its share; while handlers are quick, to deliver a job costs more than to run it, and several go
 * together. No worker is given more than its part of the jobs, however quick it is.
 */
export function intoDeliveries<Job extends { type: string }>(
  jobs: readonly Job[],
  { handlerMs, quickTypes, workers }: DeliveryOptions,
): Job[][] {
  const isQuick = ({ type }: Job) => quickTypes.has(type);
  const whileQuick = Math.min(MAX_JOBS, Math.floor(DELIVERY_MS / handlerMs));
  const size = Math.max(1, Math.min(whileQuick, Math.ceil(jobs.filter(isQuick).length / workers)));
  const deliveries: Job[][] = [];
  let open: Job[] = [];
  for (const job of jobs) {
    if (!isQuick(job)) deliveries.push([job]);
    else if (open.length > 0 && open.length < size) open.push(job);
    else {
      open = [job];
      deliveries.push(open);
    }
  }
  return deliveries;
}
