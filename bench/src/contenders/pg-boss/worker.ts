import { PgBoss } from 'pg-boss';
import { runNoop } from '../../noop.ts';
import type { Payload } from '../../payload.ts';
import { BATCH_SIZE, QUEUE, settings } from '../settings.ts';

// Woken by notifications, in batches, and again at once while batches come back full:
// https://github.com/timgit/pg-boss/blob/12.35.0/docs/api/workers.md
const boss = new PgBoss({ connectionString: settings.DATABASE_URL, useListenNotify: true });
boss.on('error', (error) => process.stderr.write(`${error}\n`));
await boss.start();
const options = { batchSize: BATCH_SIZE, burstWhenBatchFull: true, pollingIntervalSeconds: 0.5 };
await boss.work<Payload>(QUEUE, options, (jobs) => Promise.all(jobs.map((job) => runNoop(job.data))));
process.stdout.write('worker started\n');
