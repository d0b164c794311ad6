import { defineWorkingJob } from '../src/working-job.ts';

/** Of these so many may run at once as an operator has laid down, whatever queue they are in; this is the one they have by default. */
export default defineWorkingJob('faults.account', 'accounts');
