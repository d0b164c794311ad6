import { fileURLToPath } from 'node:url';
import { parsePublicId } from '@accepted/shared/job/id';
import type { JobStatus } from '@accepted/shared/job/status';
import type { SpawnedProcess } from '@accepted/testing/spawn-process';
import { createTestDatabase, type TestDatabase } from '@accepted/testing/test-database';
import { createTestRedis, type TestRedis } from '@accepted/testing/test-redis';
import { waitUntil } from '@accepted/testing/wait-until';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Installation, startInstallation } from './installation.ts';

/** Each of them starts several processes, one after the other. */
const TIMEOUT_MS = 180_000;

type BuildName = 'old' | 'new' | 'other';

describe.each(['redis', 'postgres'] as const)('workers of two builds on the %s engine', (kind) => {
  let database: TestDatabase;
  let redis: TestRedis;
  let installation: Installation;

  beforeEach(async () => {
    [database, redis] = await Promise.all([createTestDatabase(), createTestRedis()]);
    const redisUrl = kind === 'redis' ? redis.url : undefined;
    installation = await startInstallation({ databaseUrl: database.url, redisUrl });
  });
  afterEach(async () => {
    await installation[Symbol.asyncDispose]();
    await Promise.all([database.drop(), redis[Symbol.asyncDispose]()]);
  });

  const start = (build: BuildName) =>
    installation.startWorker({ JOBS_DIR: fileURLToPath(new URL(`builds/${build}`, import.meta.url)) });

  async function stop(worker: SpawnedProcess): Promise<void> {
    worker.kill('SIGTERM');
    await worker.exited;
  }

  const bodyOf = (payload: object) => ({ type: 'test.greet', payload, retry: { maxAttempts: 1 } });
  const post = (payload: object) => installation.submit(bodyOf(payload));
  const submitOne = async (payload: object) => (await installation.accept(bodyOf(payload))).id;

  /** Submits jobs at once; all of them must be accepted. */
  const submit = (count: number, payload: (n: number) => object) =>
    Promise.all(Array.from({ length: count }, (_, n) => submitOne(payload(n))));

  const rowsOf = (ids: string[]) =>
    database.db
      .selectFrom('jobs')
      .select(['status', 'attempts_made', 'result'])
      .where(
        'id',
        'in',
        ids.map((id) => parsePublicId('job', id) ?? ''),
      )
      .execute();

  async function becomeAll(ids: string[], statuses: JobStatus[]): Promise<void> {
    const areAll = async () => (await rowsOf(ids)).every(({ status }) => statuses.includes(status));
    await waitUntil(areAll, { until: `all are ${statuses.join(' or ')}`, timeoutMs: 30_000 });
  }

  /** Waits until every job has ended, each with the one attempt that it may have, and answers who ran them. */
  async function succeedAtOnce(ids: string[]): Promise<string[]> {
    await becomeAll(ids, ['succeeded', 'failed']);
    const rows = await rowsOf(ids);
    const ends = new Set(rows.map((row) => `${row.status} ${row.attempts_made}`));
    expect(ends).toEqual(new Set(['succeeded 1']));
    return [...new Set(rows.map(({ result }) => (result as { by: string }).by))].sort();
  }

  async function becomes(status: number, payload: object): Promise<void> {
    await waitUntil(async () => (await post(payload)).status === status, {
      until: `${JSON.stringify(payload)} gets ${status}`,
      timeoutMs: 3_000,
    });
  }

  test(
    'a job of a type that only one of them has never meets the other',
    async () => {
      await Promise.all([start('old'), start('other')]);
      const ids = await submit(40, (n) => ({ n }));
      expect(await succeedAtOnce(ids)).toEqual(['old']);
      const attempts = await database.db.selectFrom('attempts').select('outcome').execute();
      expect(attempts).toEqual(Array(40).fill({ outcome: 'succeeded' }));
    },
    TIMEOUT_MS,
  );

  test(
    'a job that only the newer schema takes never meets the older one',
    async () => {
      await start('old');
      await start('new');
      expect(await succeedAtOnce(await submit(60, (n) => ({ n, lang: 'de' })))).toEqual(['new']);
      const attempts = await database.db.selectFrom('attempts').select('outcome').execute();
      expect(attempts).toEqual(Array(60).fill({ outcome: 'succeeded' }));
      expect(await succeedAtOnce(await submit(60, (n) => ({ n, holdMs: 20 })))).toEqual(['new', 'old']);
    },
    TIMEOUT_MS,
  );

  test(
    'whichever build is left is in force, also when the other one is killed',
    async () => {
      const first = await start('new');
      const second = await start('old');
      await becomes(422, { n: 1, lang: 'de' });
      await stop(second);
      await becomes(202, { n: 1, lang: 'de' });
      const third = await start('old');
      await stop(first);
      await becomes(422, { n: 1, lang: 'de' });
      await start('new');
      third.kill('SIGKILL');
      await waitUntil(async () => (await post({ n: 1, lang: 'de' })).status === 202, {
        until: 'the build that lives is in force',
        timeoutMs: 8_000,
      });
    },
    TIMEOUT_MS,
  );

  test(
    'jobs in the lane of a worker that is killed are run by another build within seconds',
    async () => {
      const victim = await start('old');
      const holding = await submit(20, (n) => ({ n, holdMs: 60_000 }));
      await becomeAll(holding, ['running']);
      const waiting = await submit(40, (n) => ({ n }));
      const inLane = database.db.selectFrom('jobs').select('id').where('status', '=', 'queued');
      await waitUntil(
        async () => (await inLane.where('dispatched_at', 'is not', null).execute()).length > 0,
        {
          until: 'jobs wait in its lane',
        },
      );
      victim.kill('SIGKILL');
      await start('new');
      expect(await succeedAtOnce(waiting)).toEqual(['new']);
    },
    TIMEOUT_MS,
  );
});
