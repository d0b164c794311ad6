import { appendFileSync } from 'node:fs';
import { defineJob } from '@accepted/job';
import { z } from 'zod';

/** Appends one line per run to `file`, so that a test can count runs outside of the system. */
export default defineJob({
  type: 'test.append-line',
  payload: z.object({ file: z.string(), n: z.number().int() }),
  result: z.object({ n: z.number().int() }),
  run({ file, n }, ctx) {
    appendFileSync(file, `${ctx.job.id} ${ctx.fencingToken}\n`);
    return { n };
  },
});
