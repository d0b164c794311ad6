import { defineJob } from '@accepted/job';
import { z } from 'zod';
import { runNoop } from './noop.ts';

/** Makes a job type that works for as long as it is asked to. */
export const worksAs = (type: string) =>
  defineJob({
    type,
    payload: z.strictObject({
      n: z.int(),
      noteStart: z.boolean(),
      workMs: z.int().optional(),
      text: z.string().max(1_000_000),
    }),
    result: z.strictObject({ n: z.int() }),
    run: (payload) => runNoop(payload),
  });
