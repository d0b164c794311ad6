import { accept } from './accept.ts';
import { latency } from './latency.ts';
import type { Measure } from './measure.ts';
import { pickUp } from './pick-up.ts';
import { rates } from './rates.ts';
import { throughput } from './throughput.ts';
import { webhooks } from './webhooks.ts';
import { worker } from './worker.ts';

/** In the order in which they are run and shown. */
export const ALL_MEASURES: readonly Measure[] = [
  accept,
  rates,
  throughput,
  latency,
  pickUp,
  worker,
  webhooks,
];
