import { Worker } from 'bullmq';
import pg from 'pg';
import { runNoop } from '../../noop.ts';
import { CONCURRENCY, QUEUE, settings } from '../settings.ts';

const pool = new pg.Pool({ connectionString: settings.DATABASE_URL });
const connection = { url: settings.REDIS_URL };

const worker = new Worker(
  QUEUE,
  async ({ data: { id, payload } }) => {
    const result = await runNoop(payload);
    await pool.query("UPDATE jobs SET status = 'succeeded', result = $2, finished_at = now() WHERE id = $1", [
      id,
      result,
    ]);
  },
  { connection, concurrency: CONCURRENCY },
);
await worker.waitUntilReady();
process.stdout.write('worker started\n');
