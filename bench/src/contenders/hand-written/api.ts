// What a tutorial makes of BullMQ when results have to be kept: a row in Postgres, then a job in Redis.
import { Queue } from 'bullmq';
import pg from 'pg';
import { serveJobs } from '../serve-jobs.ts';
import { QUEUE, settings } from '../settings.ts';

const pool = new pg.Pool({ connectionString: settings.DATABASE_URL });
const queue = new Queue(QUEUE, { connection: { url: settings.REDIS_URL } });

await serveJobs(async (payload) => {
  const { rows } = await pool.query('INSERT INTO jobs (payload) VALUES ($1) RETURNING id', [payload]);
  const { id } = rows[0];
  await queue.add('noop', { id, payload });
  return id;
});
