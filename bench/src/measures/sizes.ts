/** How much a run measures. */
export interface Size {
  rounds: number;
  warmUpSeconds: number;
  acceptSeconds: number;
  payloadsBytes: readonly number[];
  rateSeconds: number;
  ratesPerSecond: readonly number[];
  /** Each contender gets about as many jobs as it can do in this time, so that all are measured for as long. */
  throughputSeconds: number;
  workers: readonly number[];
  workerJobs: number;
  latencyPerSecond: number;
  latencySeconds: number;
  pickUps: number;
  pickUpSeconds: number;
  webhookJobs: number;
}

export type SizeName = keyof typeof SIZES;

export const SIZES = {
  small: {
    rounds: 1,
    warmUpSeconds: 2,
    acceptSeconds: 2,
    payloadsBytes: [200],
    rateSeconds: 2,
    ratesPerSecond: [500],
    throughputSeconds: 2,
    workers: [1],
    workerJobs: 5_000,
    latencyPerSecond: 100,
    latencySeconds: 2,
    pickUps: 60,
    pickUpSeconds: 3,
    webhookJobs: 500,
  },
  standard: {
    rounds: 3,
    warmUpSeconds: 3,
    acceptSeconds: 2,
    payloadsBytes: [200, 10_000, 200_000],
    rateSeconds: 2,
    ratesPerSecond: [500, 2_000],
    throughputSeconds: 2,
    workers: [1, 2, 4],
    workerJobs: 20_000,
    latencyPerSecond: 200,
    latencySeconds: 3,
    pickUps: 120,
    pickUpSeconds: 8,
    webhookJobs: 2_000,
  },
} as const satisfies Record<string, Size>;

/** Requests that a closed loop has under way at once. */
export const CONNECTIONS = 64;

/** The payload of all measures that do not vary it. */
export const USUAL_PAYLOAD_BYTES = 200;

/** Jobs by which a fresh contender is made to run, and to compile, what it will be measured by. */
export const WARM_UP_JOBS = 1_000;

/** No contender takes so long for what a measure gives it, unless it is stuck. */
export const DRAIN_TIMEOUT_MS = 120_000;
