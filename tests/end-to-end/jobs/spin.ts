import { appendFileSync } from 'node:fs';
import { defineJob } from '@accepted/job';
import { z } from 'zod';

/** Never ends and never listens: only killing its process stops it. */
export default defineJob({
  type: 'test.spin',
  payload: z.object({ file: z.string() }),
  isolate: true,
  run({ file }) {
    appendFileSync(file, `running ${process.pid}\n`);
    for (;;);
  },
});
