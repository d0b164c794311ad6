import { defineWorkingJob } from '../src/working-job.ts';

/** In the queue of the tenants that are weighed over the whole run. */
export default defineWorkingJob('faults.weighed', 'weighed');
