import { defineJob } from '@accepted/job';
import { z } from 'zod';

/** The build that replaces the old one. */
export default defineJob({
  type: 'test.greet',
  payload: z.strictObject({
    n: z.number().int(),
    holdMs: z.number().optional(),
    lang: z.string().optional(),
  }),
  run: ({ n, holdMs = 0 }) => new Promise((resolve) => setTimeout(resolve, holdMs, { n, by: 'new' })),
});
