import { Worker } from 'bullmq';
import { runNoop } from '../../noop.ts';
import { CONCURRENCY, QUEUE, settings } from '../settings.ts';

const connection = { url: settings.REDIS_URL };
const worker = new Worker(QUEUE, async (job) => runNoop(job.data), { connection, concurrency: CONCURRENCY });
await worker.waitUntilReady();
process.stdout.write('worker started\n');
