import { defineJob } from '@accepted/job';
import { z } from 'zod';

/** The build that is being replaced: it does not know `lang` yet. */
export default defineJob({
  type: 'test.greet',
  payload: z.strictObject({ n: z.number().int(), holdMs: z.number().optional() }),
  run: ({ n, holdMs = 0 }) => new Promise((resolve) => setTimeout(resolve, holdMs, { n, by: 'old' })),
});
