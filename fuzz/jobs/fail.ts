import { defineJob, PermanentError, RetryLaterError } from '@accepted/job';
import { z } from 'zod';

/** Fails in the way that it is asked to, with the words that it is given. */
export default defineJob({
  type: 'fuzz.fail',
  payload: z.strictObject({
    how: z.enum(['for-good', 'for-now', 'later']).optional(),
    message: z.string().max(2_000).optional(),
  }),
  retry: { maxAttempts: 2, backoff: { type: 'fixed', delayMs: 10 } },
  run({ how = 'for-good', message = 'It was asked to fail.' }) {
    if (how === 'for-good') throw new PermanentError(message);
    if (how === 'later') throw new RetryLaterError(message, { retryAfterMs: 50 });
    throw new Error(message);
  },
});
