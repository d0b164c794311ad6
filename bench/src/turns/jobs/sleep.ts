import { setTimeout as delay } from 'node:timers/promises';
import { defineJob } from '@accepted/job';
import { z } from 'zod';

/** A job that takes as long as it is told. */
export default defineJob({
  type: 'bench.sleep',
  payload: z.strictObject({ ms: z.int() }),
  result: z.null(),
  timeoutMs: 120_000,
  async run({ ms }, { signal }) {
    if (ms > 0) await delay(ms, undefined, { signal });
    return null;
  },
});
