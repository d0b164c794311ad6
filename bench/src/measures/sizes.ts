/** How much a run measures. */
export interface Size {
  rounds: number;
  warmUpSeconds: number;
  acceptSeconds: number;
  payloadsBytes: readonly number[];
  rateSeconds: number;
  ratesPerSecond: readonly number[];
  throughputJobs: number;
  workers: readonly number[];
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
    warmUpSeconds: 1,
    acceptSeconds: 2,
    payloadsBytes: [200],
    rateSeconds: 2,
    ratesPerSecond: [500],
    throughputJobs: 3_000,
    workers: [1],
    latencyPerSecond: 100,
    latencySeconds: 2,
    pickUps: 60,
    pickUpSeconds: 3,
    webhookJobs: 1_000,
  },
  standard: {
    rounds: 3,
    warmUpSeconds: 2,
    acceptSeconds: 5,
    payloadsBytes: [200, 10_000, 200_000],
    rateSeconds: 4,
    ratesPerSecond: [500, 1_000, 2_000],
    throughputJobs: 12_000,
    workers: [1, 2, 4],
    latencyPerSecond: 200,
    latencySeconds: 4,
    pickUps: 200,
    pickUpSeconds: 10,
    webhookJobs: 3_000,
  },
} as const satisfies Record<string, Size>;

/** Requests that a closed loop has under way at once. */
export const CONNECTIONS = 64;

/** The payload of all measures that do not vary it. */
export const USUAL_PAYLOAD_BYTES = 200;

/** No contender takes so long for what a measure gives it, unless it is stuck. */
export const DRAIN_TIMEOUT_MS = 60_000;
