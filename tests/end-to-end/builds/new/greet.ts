import { defineJob } from '@accepted/job';
import { z } from 'zod';

/** The build that replaces the old one, and is quicker: what the old one holds for long it does at once. */
export default defineJob({
  type: 'test.greet',
  payload: z.strictObject({
    n: z.number().int(),
    holdMs: z.number().optional(),
    lang: z.string().optional(),
  }),
  run: ({ n }) => ({ n, by: 'new' }),
});
