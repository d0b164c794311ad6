import { PgBoss } from 'pg-boss';
import { serveJobs } from '../serve-jobs.ts';
import { QUEUE, settings } from '../settings.ts';

// The workers look after the tables: https://github.com/timgit/pg-boss/blob/12.35.0/docs/api/constructor.md
const boss = new PgBoss({ connectionString: settings.DATABASE_URL, supervise: false, schedule: false });
boss.on('error', (error) => process.stderr.write(`${error}\n`));
await boss.start();

await serveJobs(async (payload) => (await boss.send(QUEUE, payload)) ?? '');
