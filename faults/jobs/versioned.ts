import { setTimeout as delay } from 'node:timers/promises';
import { defineJob } from '@accepted/job';
import { z } from 'zod';
import { buildNumber, WORK_MS } from '../src/build-number.ts';
import { logEffect } from '../src/effect-log.ts';

const build = buildNumber();

/** Each build takes what those before it take, and a field more. */
export default defineJob({
  type: 'faults.versioned',
  payload: z.strictObject({
    n: z.int(),
    ...(build >= 2 && { second: z.boolean().optional() }),
    ...(build >= 3 && { third: z.boolean().optional() }),
  }),
  result: z.strictObject({ token: z.int() }),
  async run(_payload, ctx) {
    logEffect(ctx, 'start');
    await delay(WORK_MS, undefined, { signal: ctx.signal });
    logEffect(ctx, 'effect');
    return { token: ctx.fencingToken };
  },
});
