import { defineJob } from '@accepted/job';
import { z } from 'zod';

/** Gives back what it was given; its schema has bounds of every kind. */
export default defineJob({
  type: 'fuzz.echo',
  payload: z.strictObject({
    account: z.string().min(1).max(40),
    count: z.int().min(0).max(1_000).optional(),
    ratio: z.number().min(-1).max(1).optional(),
    code: z
      .string()
      .regex(/^[A-Z]{2}-\d{1,4}$/)
      .optional(),
    at: z.iso.datetime({ offset: true }).optional(),
    color: z.enum(['red', 'green', 'blue']).optional(),
    words: z.array(z.string().max(20)).max(5).optional(),
    by: z.record(z.string().max(10), z.number()).optional(),
    anything: z.unknown().optional(),
    maybe: z.union([z.string(), z.number(), z.null()]).optional(),
  }),
  concurrency: { limit: 3, key: ({ account }) => account },
  run(payload, ctx) {
    ctx.progress({ seen: payload.anything ?? null });
    return payload;
  },
});
