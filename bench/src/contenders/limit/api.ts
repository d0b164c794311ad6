// The limit: what Fastify does when nobody keeps anything.
import { randomUUID } from 'node:crypto';
import { serveJobs } from '../serve-jobs.ts';

await serveJobs(async () => randomUUID());
