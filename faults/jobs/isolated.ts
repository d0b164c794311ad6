import { createHash } from 'node:crypto';
import { defineJob } from '@accepted/job';
import { z } from 'zod';
import { logEffect } from '../src/effect-log.ts';

/** Works in a process of its own. */
export default defineJob({
  type: 'faults.isolated',
  payload: z.strictObject({ n: z.int(), rounds: z.int().min(1) }),
  result: z.strictObject({ token: z.int(), digest: z.string() }),
  isolate: true,
  run({ n, rounds }, ctx) {
    logEffect(ctx, 'start');
    let digest = String(n);
    for (let round = 0; round < rounds; round += 1)
      digest = createHash('sha256').update(digest).digest('hex');
    logEffect(ctx, 'effect');
    return { token: ctx.fencingToken, digest };
  },
});
