import { defineJob } from '@accepted/job';
import { z } from 'zod';
import { logEffect } from '../src/effect-log.ts';

const THROWS_AFTER_MS = 500;

/** Succeeds, and leaves a timer that throws where nobody catches it. */
export default defineJob({
  type: 'faults.throwing',
  payload: z.strictObject({ n: z.int() }),
  result: z.strictObject({ token: z.int() }),
  run(_payload, ctx) {
    logEffect(ctx, 'start');
    setTimeout(() => {
      throw new Error('This job was asked to leave an exception.');
    }, THROWS_AFTER_MS);
    logEffect(ctx, 'effect');
    return { token: ctx.fencingToken };
  },
});
