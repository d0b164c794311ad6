import { defineJob } from '@accepted/job';
import { z } from 'zod';

/** What both tenants run: it takes as long as it is asked to. */
export default defineJob({
  type: 'attacks.echo',
  payload: z.looseObject({ ms: z.int().min(0).max(60_000).optional() }),
  run: ({ ms = 0 }) => new Promise<null>((resolve) => setTimeout(() => resolve(null), ms)),
});
