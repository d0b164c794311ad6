import { defineJob, PermanentError } from '@accepted/job';
import { z } from 'zod';

const MAX_FRAMES = 15_000;

/** Dies at once, of an error with as large a stack as is kept. */
export default defineJob({
  type: 'attacks.die',
  payload: z.looseObject({}),
  run() {
    const error = new PermanentError('This job was asked to die.');
    error.stack = 'at x\n'.repeat(MAX_FRAMES / 5);
    throw error;
  },
});
