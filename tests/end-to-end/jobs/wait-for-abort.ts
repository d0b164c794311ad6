import { once } from 'node:events';
import { appendFileSync } from 'node:fs';
import { defineJob } from '@accepted/job';
import { z } from 'zod';

/** Says in `file` that it runs, and again when it is told to stop. */
export default defineJob({
  type: 'test.wait-for-abort',
  payload: z.object({ file: z.string() }),
  async run({ file }, ctx) {
    appendFileSync(file, 'running\n');
    await once(ctx.signal, 'abort');
    appendFileSync(file, `aborted ${Date.now()}\n`);
    throw ctx.signal.reason;
  },
});
