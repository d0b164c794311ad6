import { setTimeout as delay } from 'node:timers/promises';
import { defineJob } from '@accepted/job';
import { z } from 'zod';
import { logEffect } from '../src/effect-log.ts';

/** Takes its time and next to nothing of the machine, in the queue of the tenants that are weighed over the whole run. */
export default defineJob({
  type: 'faults.weighed',
  queue: 'weighed',
  payload: z.strictObject({ n: z.int(), workMs: z.int().min(0) }),
  result: z.strictObject({ token: z.int() }),
  async run({ workMs }, ctx) {
    logEffect(ctx, 'start');
    await delay(workMs, undefined, { signal: ctx.signal });
    logEffect(ctx, 'effect');
    return { token: ctx.fencingToken };
  },
});
