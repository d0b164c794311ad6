import { access } from 'node:fs/promises';
import { defineJob, PermanentError } from '@accepted/job';
import { z } from 'zod';
import { logEffect } from '../src/effect-log.ts';

/** Fails for good until its cause is repaired, which is when a file with the job's id is in the folder `repaired`. */
export default defineJob({
  type: 'faults.permanent',
  payload: z.strictObject({ n: z.int() }),
  result: z.strictObject({ token: z.int() }),
  async run(_payload, ctx) {
    logEffect(ctx, 'start');
    await access(`repaired/${ctx.job.id}`).catch(() => {
      throw new PermanentError('What this job needs is broken.', { code: 'broken' });
    });
    logEffect(ctx, 'effect');
    return { token: ctx.fencingToken };
  },
});
