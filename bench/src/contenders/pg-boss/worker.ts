import { PgBoss } from 'pg-boss';
import { runNoop } from '../../noop.ts';
import type { Payload } from '../../payload.ts';
import { CONCURRENCY, QUEUE, settings } from '../settings.ts';

// Woken by notifications, in batches, and again at once while batches come back full:
// https://github.com/timgit/pg-boss/blob/12.35.0/docs/api/workers.md
const boss = new PgBoss({ connectionString: settings.DATABASE_URL, useListenNotify: true });
boss.on('error', (error) => process.stderr.write(`${error}\n`));
await boss.start();
const options = { batchSize: CONCURRENCY, burstWhenBatchFull: true, pollingIntervalSeconds: 0.5 };
await boss.work<Payload>(QUEUE, options, async (jobs) => jobs.map((job) => runNoop(job.data)));
process.stdout.write('worker started\n');
