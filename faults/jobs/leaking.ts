import { setImmediate } from 'node:timers/promises';
import { defineJob } from '@accepted/job';
import { z } from 'zod';
import { logEffect } from '../src/effect-log.ts';

const OBJECTS_PER_TURN = 200_000;

/** Takes memory until its worker has none left, whoever asks it to stop. */
export default defineJob({
  type: 'faults.leaking',
  payload: z.strictObject({ n: z.int() }),
  async run({ n }, ctx) {
    logEffect(ctx, 'start');
    for (const kept: object[][] = []; ; ) {
      kept.push(Array.from({ length: OBJECTS_PER_TURN }, (_, index) => ({ n, index })));
      await setImmediate();
    }
  },
});
