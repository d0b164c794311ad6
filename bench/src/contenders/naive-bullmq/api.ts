// BullMQ as a tutorial writes it: the job is in Redis alone.
import { Queue } from 'bullmq';
import { serveJobs } from '../serve-jobs.ts';
import { QUEUE, settings } from '../settings.ts';

const queue = new Queue(QUEUE, { connection: { url: settings.REDIS_URL } });

await serveJobs(async (payload) => {
  const job = await queue.add('noop', payload);
  return job.id ?? '';
});
