import { setImmediate } from 'node:timers/promises';
import { defineJob } from '@accepted/job';
import { z } from 'zod';
import { logEffect } from '../src/effect-log.ts';

const OBJECTS_PER_TURN = 50_000;

/** Takes memory until its worker has none left. */
export default defineJob({
  type: 'faults.leaking',
  payload: z.strictObject({ n: z.int() }),
  async run({ n }, ctx) {
    logEffect(ctx, 'start');
    for (let kept: object[] = []; !ctx.signal.aborted; ) {
      kept = kept.concat(Array.from({ length: OBJECTS_PER_TURN }, (_, index) => ({ n, index })));
      await setImmediate();
    }
  },
});
