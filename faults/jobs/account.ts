import { setTimeout as delay } from 'node:timers/promises';
import { defineJob } from '@accepted/job';
import { z } from 'zod';
import { logEffect } from '../src/effect-log.ts';

/** Of these so many may run at once as an operator has laid down, whatever queue they are in; this is the one they have by default. */
export default defineJob({
  type: 'faults.account',
  queue: 'accounts',
  payload: z.strictObject({ n: z.int(), workMs: z.int().min(0) }),
  result: z.strictObject({ token: z.int() }),
  async run({ workMs }, ctx) {
    logEffect(ctx, 'start');
    await delay(workMs, undefined, { signal: ctx.signal });
    logEffect(ctx, 'effect');
    return { token: ctx.fencingToken };
  },
});
