import { defineJob } from '@accepted/job';
import { z } from 'zod';
import { logEffect } from '../src/effect-log.ts';

/** Holds up the event loop of its worker in the first attempt, so that no heartbeat goes out. */
export default defineJob({
  type: 'faults.blocking',
  payload: z.strictObject({ n: z.int(), blockMs: z.int().min(0) }),
  result: z.strictObject({ token: z.int() }),
  run({ blockMs }, ctx) {
    logEffect(ctx, 'start');
    const until = performance.now() + (ctx.attempt === 1 ? blockMs : 0);
    while (performance.now() < until);
    logEffect(ctx, 'effect');
    return { token: ctx.fencingToken };
  },
});
