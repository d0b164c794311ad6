import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { JobView } from '@accepted/shared/contract/job-view';
import { startPostgresServer } from '@accepted/testing/postgres-server';
import { startRedisServer } from '@accepted/testing/redis-server';
import { createTestDatabase } from '@accepted/testing/test-database';
import { waitUntil } from '@accepted/testing/wait-until';
import { Redis } from 'ioredis';
import { describe, expect, test } from 'vitest';
import { type Installation, startInstallation } from './installation.ts';

const JOBS = 10_000;
const CLIENTS = 50;
const TYPE = 'test.append-line';

/**
 * Submits `count` jobs over HTTP, `CLIENTS` at a time, until each got a 202, and returns their ids.
 */
async function submitAll(installation: Installation, count: number, file: string): Promise<string[]> {
  const accepted: string[] = [];
  let next = 0;
  const client = async () => {
    while (next < count) {
      const n = next++;
      const body = { type: TYPE, payload: { file, n } };
      accepted.push((await installation.accept(body)).id);
    }
  };
  await Promise.all(Array.from({ length: CLIENTS }, client));
  return accepted;
}

describe.each(['redis', 'postgres'] as const)('on the %s engine', (kind) => {
  test(`${JOBS} acknowledged jobs all end, each recorded once, though a worker is killed and Redis is wiped`, async () => {
    await using redis = await startRedisServer();
    const database = await createTestDatabase({ engine: kind });
    await using installation = await startInstallation({
      databaseUrl: database.url,
      redisUrl: kind === 'redis' ? redis.url : undefined,
    });
    const file = join(installation.folder, 'effects');
    const [victim] = await Promise.all([installation.startWorker(), installation.startWorker()]);
    const succeeded = async () => {
      const count = database.db
        .selectFrom('current_jobs')
        .select((eb) => eb.fn.countAll<string>().as('jobs'));
      return Number((await count.where('status', '=', 'succeeded').executeTakeFirstOrThrow()).jobs);
    };
    const submitting = submitAll(installation, JOBS, file);

    await waitUntil(async () => (await succeeded()) > JOBS * 0.2, {
      until: 'a fifth is done',
      timeoutMs: 60_000,
    });
    victim.kill('SIGKILL');
    await waitUntil(async () => (await succeeded()) > JOBS * 0.4, {
      until: 'two fifths are done',
      timeoutMs: 60_000,
    });
    if (kind === 'redis') {
      const client = new Redis(redis.url);
      await client.flushall();
      client.disconnect();
    }
    const accepted = await submitting;
    expect(accepted).toHaveLength(JOBS);
    await waitUntil(async () => (await succeeded()) === JOBS, {
      until: 'all jobs have succeeded',
      timeoutMs: 120_000,
    });

    const attempts = await database.db
      .selectFrom('attempts')
      .select(['job_id', (eb) => eb.fn.countAll<string>().as('recorded')])
      .where('outcome', '=', 'succeeded')
      .groupBy('job_id')
      .execute();
    expect(attempts).toHaveLength(JOBS);
    expect(attempts.filter((attempt) => attempt.recorded !== '1')).toEqual([]);
    const effects = (await readFile(file, 'utf8')).trimEnd().split('\n');
    expect(new Set(effects.map((line) => line.split(' ')[0])).size).toBe(JOBS);
    // No two runs of a job had the same fencing token, so that a sink can tell them apart.
    expect(new Set(effects).size).toBe(effects.length);
    await installation[Symbol.asyncDispose]();
    await database.drop();
  }, 300_000);
});

test('with Redis stopped the API still answers 202, and the jobs run when it is back', async () => {
  await using redis = await startRedisServer();
  const database = await createTestDatabase();
  await using installation = await startInstallation({ databaseUrl: database.url, redisUrl: redis.url });
  const file = join(installation.folder, 'effects');
  await installation.startWorker();
  await redis.kill();
  const started = performance.now();
  const ids = await submitAll(installation, 200, file);
  expect(ids).toHaveLength(200);
  expect(performance.now() - started).toBeLessThan(10_000);
  await redis.start();
  for (const id of ids) {
    await waitUntil(async () => (await installation.readJob(id)).status === 'succeeded', {
      until: `${id} has succeeded`,
      timeoutMs: 30_000,
    });
  }
  await installation[Symbol.asyncDispose]();
  await database.drop();
}, 120_000);

test('with Postgres stopped the API answers 503 within a second, never a false 202, and recovers by itself', async () => {
  await using server = await startPostgresServer();
  const database = await createTestDatabase(server.url);
  await using installation = await startInstallation({ databaseUrl: database.url });
  const file = join(installation.folder, 'effects');
  await installation.startWorker();
  const before = await submitAll(installation, 50, file);
  await server.stop('immediate');

  const refused = await Promise.all(
    Array.from({ length: 50 }, async (_, n) => {
      const started = performance.now();
      const response = await installation.submit({ type: TYPE, payload: { file, n } });
      return {
        status: response.status,
        retryAfter: response.headers.get('retry-after'),
        tookMs: performance.now() - started,
      };
    }),
  );
  expect(refused.filter(({ status }) => status !== 503)).toEqual([]);
  expect(refused.every(({ retryAfter }) => Number(retryAfter) > 0)).toBe(true);
  expect(Math.max(...refused.map(({ tookMs }) => tookMs))).toBeLessThan(1_000);

  await server.start();
  const after = await submitAll(installation, 1, file);
  for (const id of [...before, ...after]) {
    await waitUntil(async () => (await installation.readJob(id)).status === 'succeeded', {
      until: `${id} has succeeded`,
      timeoutMs: 60_000,
    });
  }
}, 180_000);

test('200 concurrent POSTs with one Idempotency-Key make one job with one id in all answers', async () => {
  const database = await createTestDatabase({ engine: 'postgres' });
  await using installation = await startInstallation({ databaseUrl: database.url });
  const file = join(installation.folder, 'effects');
  await installation.startWorker();
  const body = { type: TYPE, payload: { file, n: 1 } };
  const replies = await Promise.all(
    Array.from({ length: 200 }, () => installation.submit(body, { 'idempotency-key': 'order-7' })),
  );
  const jobs = (await Promise.all(replies.map((reply) => reply.json()))) as JobView[];
  expect(new Set(replies.map((reply) => reply.status))).toEqual(new Set([202]));
  expect(new Set(jobs.map((job) => job.id)).size).toBe(1);
  expect(await database.db.selectFrom('current_jobs').select('id').execute()).toHaveLength(1);
  await installation[Symbol.asyncDispose]();
  await database.drop();
}, 60_000);
