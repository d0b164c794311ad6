import { PgBoss } from 'pg-boss';
import { runNoop } from '../../noop.ts';
import type { Payload } from '../../payload.ts';
import { QUEUE, settings } from '../settings.ts';

/**
 * As many as graphile-worker fetches at once. It was the fastest of 20, 500, and 5 for
 * each of 4 local workers; a handler that does nothing leaves nothing to do at the same time.
 */
const BATCH_SIZE = 500;

// Woken by notifications, in batches, and again at once while batches come back full:
// https://github.com/timgit/pg-boss/blob/12.35.0/docs/api/workers.md
const boss = new PgBoss({ connectionString: settings.DATABASE_URL, useListenNotify: true });
boss.on('error', (error) => process.stderr.write(`${error}\n`));
await boss.start();
const options = { batchSize: BATCH_SIZE, burstWhenBatchFull: true, pollingIntervalSeconds: 0.5 };
await boss.work<Payload>(QUEUE, options, async (jobs) => jobs.map((job) => runNoop(job.data)));
process.stdout.write('worker started\n');
