import { setTimeout as delay } from 'node:timers/promises';
import { defineJob } from '@accepted/job';
import { z } from 'zod';
import { logEffect } from './effect-log.ts';

/** Makes a job that takes its time and next to nothing of the machine. */
export function defineWorkingJob(type: string, queue: string) {
  return defineJob({
    ...{ type, queue },
    payload: z.strictObject({ n: z.int(), workMs: z.int().min(0) }),
    result: z.strictObject({ token: z.int() }),
    async run({ workMs }, ctx) {
      logEffect(ctx, 'start');
      await delay(workMs, undefined, { signal: ctx.signal });
      logEffect(ctx, 'effect');
      return { token: ctx.fencingToken };
    },
  });
}
