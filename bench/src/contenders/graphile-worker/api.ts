import { makeWorkerUtils } from 'graphile-worker';
import { serveJobs } from '../serve-jobs.ts';
import { settings } from '../settings.ts';

const utils = await makeWorkerUtils({ connectionString: settings.DATABASE_URL });

await serveJobs(async (payload) => {
  const job = await utils.addJob('noop', payload);
  return job.id;
});
