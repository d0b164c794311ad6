import { defineJob, PermanentError } from '@accepted/job';
import { z } from 'zod';

/** Of one stack 6,000 characters are kept, and 16,000 of those of an error and its causes. */
const STACK = 'at x\n'.repeat(1_200);
const CAUSES = 2;

/** Dies at once, of an error with as large a stack as is kept. */
export default defineJob({
  type: 'attacks.die',
  payload: z.looseObject({}),
  run() {
    throw withStack(new PermanentError('This job was asked to die.', { cause: chainOf(CAUSES) }));
  },
});

function chainOf(errors: number): Error | undefined {
  return errors === 0 ? undefined : withStack(new Error('A cause.', { cause: chainOf(errors - 1) }));
}

function withStack(error: Error): Error {
  error.stack = STACK;
  return error;
}
