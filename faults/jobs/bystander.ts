import { existsSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { defineJob } from '@accepted/job';
import { z } from 'zod';
import { BYSTANDERS_MAY_END, logEffect } from '../src/effect-log.ts';

const LOOK_EACH_MS = 100;

/** Runs until the fault that it stands beside is over, however long that takes on a busy machine. */
export default defineJob({
  type: 'faults.bystander',
  payload: z.strictObject({ n: z.int() }),
  result: z.strictObject({ token: z.int() }),
  async run(_payload, ctx) {
    logEffect(ctx, 'start');
    while (!existsSync(BYSTANDERS_MAY_END)) await delay(LOOK_EACH_MS, undefined, { signal: ctx.signal });
    logEffect(ctx, 'effect');
    return { token: ctx.fencingToken };
  },
});
