import { defineJob } from '@accepted/job';
import { z } from 'zod';

const Node = z.object({
  label: z.string().max(20),
  get children() {
    return z.array(Node).max(3).optional();
  },
});

/** Has a payload that holds itself, and one of several forms. */
export default defineJob({
  type: 'fuzz.shape',
  queue: 'shapes',
  payload: z.discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('circle'), radius: z.number().positive().max(1_000) }),
    z.strictObject({ kind: z.literal('text'), text: z.string().min(1) }),
    z.strictObject({ kind: z.literal('tree'), tree: Node }),
  ]),
  run: ({ kind }) => kind,
});
