import { fileURLToPath } from 'node:url';
import { parsePublicId } from '@accepted/shared/core/job/id';
import type { JobStatus } from '@accepted/shared/core/job/status';
import type { SpawnedProcess } from '@accepted/testing/spawn-process';
import { createTestDatabase } from '@accepted/testing/test-database';
import { createTestRedis } from '@accepted/testing/test-redis';
import { waitUntil } from '@accepted/testing/wait-until';
import { describe, expect, test } from 'vitest';
import { startInstallation } from './installation.ts';

/** Each of them starts several processes, one after the other. */
const TIMEOUT_MS = 180_000;

type BuildName = 'old' | 'new' | 'other';

/** An API, and what the tests ask of it and of the workers that they start beside it. */
async function openRig(kind: 'redis' | 'postgres') {
  const [database, redis] = await Promise.all([createTestDatabase(), createTestRedis()]);
  const redisUrl = kind === 'redis' ? redis.url : undefined;
  const installation = await startInstallation({ databaseUrl: database.url, redisUrl });

  const bodyOf = (payload: object) => ({ type: 'test.greet', payload, retry: { maxAttempts: 1 } });
  const post = (payload: object) => installation.submit(bodyOf(payload));
  const submitOne = async (payload: object) => (await installation.accept(bodyOf(payload))).id;

  const rowsOf = (ids: string[]) =>
    database.db
      .selectFrom('current_jobs')
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

  return {
    db: database.db,
    start: (build: BuildName) =>
      installation.startWorker({ JOBS_DIR: fileURLToPath(new URL(`builds/${build}`, import.meta.url)) }),
    /** Submits jobs at once; all of them must be accepted. */
    submit: (count: number, payload: (n: number) => object) =>
      Promise.all(Array.from({ length: count }, (_, n) => submitOne(payload(n)))),
    becomeAll,
    /** Waits until every job has ended, each with the one attempt that it may have, and answers who ran them. */
    async succeedAtOnce(ids: string[]): Promise<string[]> {
      await becomeAll(ids, ['succeeded', 'failed']);
      const rows = await rowsOf(ids);
      const ends = new Set(rows.map((row) => `${row.status} ${row.attempts_made}`));
      expect(ends).toEqual(new Set(['succeeded 1']));
      return [...new Set(rows.map(({ result }) => (result as { by: string }).by))].sort();
    },
    async becomes(status: number, payload: object, timeoutMs = 3_000): Promise<void> {
      const isSo = async () => (await post(payload)).status === status;
      await waitUntil(isSo, { until: `${JSON.stringify(payload)} gets ${status}`, timeoutMs });
    },
    async [Symbol.asyncDispose]() {
      await installation[Symbol.asyncDispose]();
      await Promise.all([database.drop(), redis[Symbol.asyncDispose]()]);
    },
  };
}

async function stop(worker: SpawnedProcess): Promise<void> {
  worker.kill('SIGTERM');
  await worker.exited;
}

describe.concurrent.each(['redis', 'postgres'] as const)('workers of two builds on the %s engine', (kind) => {
  test(
    'a job of a type that only one of them has never meets the other',
    async () => {
      await using rig = await openRig(kind);
      await Promise.all([rig.start('old'), rig.start('other')]);
      const ids = await rig.submit(40, (n) => ({ n }));
      expect(await rig.succeedAtOnce(ids)).toEqual(['old']);
      const attempts = await rig.db.selectFrom('attempts').select('outcome').execute();
      expect(attempts).toEqual(Array(40).fill({ outcome: 'succeeded' }));
    },
    TIMEOUT_MS,
  );

  test(
    'a job that only the newer schema takes never meets the older one',
    async () => {
      await using rig = await openRig(kind);
      await rig.start('old');
      await rig.start('new');
      expect(await rig.succeedAtOnce(await rig.submit(60, (n) => ({ n, lang: 'de' })))).toEqual(['new']);
      const attempts = await rig.db.selectFrom('attempts').select('outcome').execute();
      expect(attempts).toEqual(Array(60).fill({ outcome: 'succeeded' }));
      expect(await rig.succeedAtOnce(await rig.submit(60, (n) => ({ n, holdMs: 200 })))).toEqual([
        'new',
        'old',
      ]);
    },
    TIMEOUT_MS,
  );

  test(
    'whichever build is left is in force, also when the other one is killed',
    async () => {
      await using rig = await openRig(kind);
      const first = await rig.start('new');
      const second = await rig.start('old');
      await rig.becomes(422, { n: 1, lang: 'de' });
      await stop(second);
      await rig.becomes(202, { n: 1, lang: 'de' });
      const third = await rig.start('old');
      await stop(first);
      await rig.becomes(422, { n: 1, lang: 'de' });
      await rig.start('new');
      third.kill('SIGKILL');
      await rig.becomes(202, { n: 1, lang: 'de' }, 8_000);
    },
    TIMEOUT_MS,
  );

  test(
    'jobs in the lane of a worker that is killed are run by another build within seconds',
    async () => {
      await using rig = await openRig(kind);
      const victim = await rig.start('old');
      const holding = await rig.submit(20, (n) => ({ n, holdMs: 60_000 }));
      await rig.becomeAll(holding, ['running']);
      const waiting = await rig.submit(40, (n) => ({ n }));
      const inLane = rig.db.selectFrom('current_jobs').select('id').where('status', '=', 'queued');
      await waitUntil(
        async () => (await inLane.where('dispatched_at', 'is not', null).execute()).length > 0,
        {
          until: 'jobs wait in its lane',
        },
      );
      victim.kill('SIGKILL');
      await rig.start('new');
      expect(await rig.succeedAtOnce(waiting)).toEqual(['new']);
    },
    TIMEOUT_MS,
  );
});
