import { setTimeout as delay } from 'node:timers/promises';
import { defineJob } from '@accepted/job';
import { z } from 'zod';
import { buildNumber, WORK_MS } from '../src/build-number.ts';
import { logEffect } from '../src/effect-log.ts';

/** A type that no other build has. */
export default defineJob({
  type: `faults.added-${buildNumber()}`,
  payload: z.strictObject({ n: z.int() }),
  result: z.strictObject({ token: z.int() }),
  async run(_payload, ctx) {
    logEffect(ctx, 'start');
    await delay(WORK_MS, undefined, { signal: ctx.signal });
    logEffect(ctx, 'effect');
    return { token: ctx.fencingToken };
  },
});
