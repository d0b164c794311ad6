import { defineJob } from '@accepted/job';
import { z } from 'zod';
import { runNoop } from '../src/noop.ts';

/** The job of the benchmark, as a user of Accepted writes it. */
export default defineJob({
  type: 'bench.noop',
  payload: z.strictObject({
    n: z.int(),
    noteStart: z.boolean(),
    workMs: z.int().optional(),
    text: z.string().max(1_000_000),
  }),
  result: z.strictObject({ n: z.int() }),
  run: (payload) => runNoop(payload),
});
