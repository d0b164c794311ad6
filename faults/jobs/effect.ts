import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { defineJob } from '@accepted/job';
import { z } from 'zod';
import { logEffect } from '../src/effect-log.ts';
import { reachKillPoint } from '../src/preload/kill-point.ts';

/** Has one side effect, after failing and hanging as often as it was asked to. */
export default defineJob({
  type: 'faults.effect',
  payload: z.strictObject({
    n: z.int(),
    workMs: z.int().min(0),
    /** The first attempts that throw. */
    failures: z.int().min(0),
    /** The first attempts that do nothing until they are timed out. */
    hangs: z.int().min(0),
  }),
  result: z.strictObject({ token: z.int() }),
  async run({ workMs, failures, hangs }, ctx) {
    logEffect(ctx, 'start');
    if (ctx.job.attemptsMade <= hangs) await once(ctx.signal, 'abort');
    ctx.signal.throwIfAborted();
    if (ctx.job.attemptsMade <= failures) throw new Error('This attempt was asked to fail.');
    if (workMs > 0) await delay(workMs, undefined, { signal: ctx.signal });
    logEffect(ctx, 'effect');
    reachKillPoint('after-effect');
    return { token: ctx.fencingToken };
  },
});
