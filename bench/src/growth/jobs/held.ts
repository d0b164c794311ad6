import { defineJob } from '@accepted/job';
import { z } from 'zod';
import { runNoop } from '../../noop.ts';

/** The job of the benchmark again, in a queue that only some workers serve: so a backlog can be held back. */
export default defineJob({
  type: 'bench.held',
  queue: 'held',
  payload: z.strictObject({ n: z.int(), noteStart: z.boolean(), text: z.string().max(1_000_000) }),
  result: z.strictObject({ n: z.int() }),
  run: (payload) => runNoop(payload),
});
