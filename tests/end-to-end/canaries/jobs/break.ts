import { defineJob, PermanentError } from '@accepted/job';
import { z } from 'zod';

/** Fails in the way it is asked to, with a secret of its payload in every error. */
export default defineJob({
  type: 'test.break',
  payload: z.object({
    how: z.enum(['throws', 'throwsForGood', 'throwsObject', 'breaksResult']),
    secret: z.string(),
  }),
  result: z.object({ count: z.number() }),
  retry: { maxAttempts: 2, backoff: { type: 'fixed', delayMs: 10, jitter: 'none' } },
  async run({ how, secret }, ctx) {
    ctx.logger.debug('about to break');
    ctx.progress({ secret });
    if (how === 'throws') throw new Error(`cannot use ${secret}`, { cause: new Error(secret) });
    if (how === 'throwsForGood') throw new PermanentError(`never takes ${secret}`, { code: 'no' });
    if (how === 'throwsObject') throw { secret };
    return { count: secret } as never;
  },
});
