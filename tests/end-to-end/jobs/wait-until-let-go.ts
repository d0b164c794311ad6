import { access, appendFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { defineJob } from '@accepted/job';
import { z } from 'zod';

const LOOK_EVERY_MS = 50;

/** Appends one line per run to `runs`, and ends when `file` is there. */
export default defineJob({
  type: 'test.wait-until-let-go',
  payload: z.object({ runs: z.string(), file: z.string() }),
  async run({ runs, file }, ctx) {
    await appendFile(runs, `${ctx.job.id} ${ctx.fencingToken}\n`);
    const isThere = () =>
      access(file).then(
        () => true,
        () => false,
      );
    while (!(await isThere())) await delay(LOOK_EVERY_MS, undefined, { signal: ctx.signal });
    return {};
  },
});
