/** How long the jobs of one delivery may take one after the other: several times what it takes to deliver and claim. */
const DELIVERY_MS = 50;
const MAX_JOBS = 50;

/** Jobs that one worker is to take together. */
export interface Delivery<Job> {
  jobs: Job[];
  /** Whether others go first, as the tenants of its jobs have their shares of the slots without them. */
  isAhead: boolean;
}

export interface DeliveryOptions {
  /** How long quick handlers take. */
  handlerMs: number;
  quickTypes: readonly string[];
  /** How many workers there are to take the jobs. */
  workers: number;
}

/**
 * Divides jobs into deliveries, in the order of the first job of each. Handlers that take long get one job each, so that
 * every idle worker has its share; while handlers are quick, to deliver a job costs more than to run it, and several go
 * together. No worker is given more than its part of the jobs, however quick it is.
 */
export function intoDeliveries<Job extends { type: string; isAhead: boolean }>(
  jobs: readonly Job[],
  { handlerMs, quickTypes, workers }: DeliveryOptions,
): Delivery<Job>[] {
  const quick = jobs.filter(({ type }) => quickTypes.includes(type));
  const whileQuick = Math.min(MAX_JOBS, Math.floor(DELIVERY_MS / handlerMs));
  const size = Math.max(1, Math.min(whileQuick, Math.ceil(quick.length / workers)));
  const deliveries: Delivery<Job>[] = [];
  const open = new Map<boolean, Delivery<Job>>();
  for (const job of jobs) {
    const { isAhead } = job;
    const isQuick = quickTypes.includes(job.type);
    const last = isQuick ? open.get(isAhead) : undefined;
    if (last && last.jobs.length < size) {
      last.jobs.push(job);
      continue;
    }
    const delivery = { jobs: [job], isAhead };
    deliveries.push(delivery);
    if (isQuick) open.set(isAhead, delivery);
  }
  return deliveries;
}
