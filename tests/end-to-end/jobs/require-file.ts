import { access } from 'node:fs/promises';
import { defineJob } from '@accepted/job';
import { z } from 'zod';

/** Fails at once for good until `file` exists. */
export default defineJob({
  type: 'test.require-file',
  payload: z.object({ file: z.string() }),
  result: z.object({ file: z.string() }),
  retry: { maxAttempts: 1 },
  async run({ file }) {
    await access(file).catch(() => {
      throw new RangeError(`${file} is not there yet`);
    });
    return { file };
  },
});
