import { defineJob } from '@accepted/job';
import { z } from 'zod';

/** Fails in a process of its own. */
export default defineJob({
  type: 'test.break-apart',
  payload: z.object({ secret: z.string() }),
  retry: { maxAttempts: 1 },
  isolate: true,
  async run({ secret }) {
    throw new Error(`cannot use ${secret}`);
  },
});
