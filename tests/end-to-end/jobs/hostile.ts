import { appendFileSync } from 'node:fs';
import { defineJob } from '@accepted/job';
import { z } from 'zod';

/** Of no attempt: nobody can tell which job makes it throw. */
let mustThrow = false;
setInterval(() => {
  if (mustThrow) throw new Error('nobody catches this either');
}, 20).unref();

/** Ends the process that it runs in, in the way it is asked to, and says so in `file` first. */
export default defineJob({
  type: 'test.hostile',
  payload: z.object({
    file: z.string(),
    how: z.enum(['exits', 'throwsLater', 'returnsAndThrowsLater', 'hasTheModuleThrow']),
    laterMs: z.number().int().default(500),
  }),
  retry: { maxAttempts: 2, backoff: { type: 'fixed', delayMs: 1, jitter: 'none' } },
  run({ file, how, laterMs }, ctx) {
    appendFileSync(file, `${ctx.job.id} ${process.pid}\n`);
    if (how === 'exits') process.exit(1);
    mustThrow = how === 'hasTheModuleThrow';
    if (mustThrow) return new Promise((resolve) => setTimeout(resolve, 60_000));
    setTimeout(() => {
      throw new Error('nobody catches this');
    }, laterMs);
    return how === 'throwsLater' ? new Promise(() => undefined) : 'done';
  },
});
