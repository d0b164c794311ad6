import { defineJob } from '@accepted/job';
import { z } from 'zod';

/** What another team's workers do on the same queue. */
export default defineJob({ type: 'test.idle', payload: z.strictObject({}), run: () => 'other' });
