import { setTimeout as delay } from 'node:timers/promises';
import { defineJob } from '@accepted/job';
import { z } from 'zod';

const MAX_MS = 3_000;

/** Runs for a while, so that there is something to be canceled. */
export default defineJob({
  type: 'fuzz.wait',
  payload: z.strictObject({ ms: z.int().min(0).max(MAX_MS) }),
  async run({ ms }, ctx) {
    await delay(ms, undefined, { signal: ctx.signal });
    return null;
  },
});
