import { once } from 'node:events';
import { defineJob } from '@accepted/job';
import { z } from 'zod';
import { logEffect } from '../src/effect-log.ts';

/** Kills its worker, as a handler does that crashes in native code. */
export default defineJob({
  type: 'faults.poison',
  payload: z.strictObject({ n: z.int() }),
  async run(_payload, ctx) {
    logEffect(ctx, 'start');
    process.kill(process.pid, 'SIGKILL');
    await once(ctx.signal, 'abort');
  },
});
