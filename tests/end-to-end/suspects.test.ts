import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startRedisServer } from '@accepted/testing/redis-server';
import type { SpawnedProcess } from '@accepted/testing/spawn-process';
import { createTestDatabase } from '@accepted/testing/test-database';
import { waitUntil } from '@accepted/testing/wait-until';
import { describe, expect, test } from 'vitest';
import { type Installation, startInstallation } from './installation.ts';

const PATIENCE = { timeoutMs: 90_000 };

async function openRig(kind: 'redis' | 'postgres') {
  const redis = kind === 'redis' ? await startRedisServer() : undefined;
  const database = await createTestDatabase();
  const installation = await startInstallation({ databaseUrl: database.url, redisUrl: redis?.url });
  const gate = join(installation.folder, 'gate');
  const file = join(installation.folder, 'runs');
  const linesOf = async (name = file) =>
    existsSync(name) ? (await readFile(name, 'utf8')).trimEnd().split('\n') : [];

  const submit = async (body: object) => (await installation.accept(body)).id;

  return {
    installation,
    gate,
    /** What the waiting jobs have written: which of them started in which process. */
    runs: async () =>
      (await linesOf()).map((line) => {
        const [jobId, pid, nth] = line.split(' ');
        return { jobId, pid: Number(pid), nth: Number(nth) };
      }),
    submitWaiting: (count: number) =>
      Promise.all(
        Array.from({ length: count }, () => submit({ type: 'test.wait-for-file', payload: { file, gate } })),
      ),
    submitHostile: (how: string) =>
      submit({ type: 'test.hostile', payload: { file: join(installation.folder, 'hostile'), how } }),
    ends: (ids: string[], status: string) =>
      waitUntil(
        async () => {
          const jobs = await Promise.all(ids.map((id) => installation.readJob(id)));
          return jobs.every((job) => job.status === status);
        },
        { until: `all of ${ids.length} jobs are ${status}`, ...PATIENCE },
      ),
    attemptsOf: async (id: string) => {
      const { data } = (await (await installation.request(`/v1/jobs/${id}/attempts`)).json()) as {
        data: { outcome: string; error: { code: string } | null }[];
      };
      return data.map(({ outcome, error }) => [outcome, error?.code]);
    },
    ledger: (columns: ('suspect' | 'losses' | 'attempts_made')[]) =>
      database.db
        .selectFrom('current_jobs')
        .select(columns)
        .where('type', '=', 'test.wait-for-file')
        .execute(),
    deadLetters: () => database.db.selectFrom('dead_letters').select(['reason', 'attempts_made']).execute(),
    async [Symbol.asyncDispose]() {
      await installation[Symbol.asyncDispose]();
      await redis?.[Symbol.asyncDispose]();
    },
  };
}

/** Starts a worker again whenever it has ended, as a supervisor does. */
async function superviseWorker(installation: Installation) {
  let worker: SpawnedProcess = await installation.startWorker();
  let isOver = false;
  const watching = (async () => {
    while (!isOver) {
      await worker.exited;
      if (!isOver) worker = await installation.startWorker();
    }
  })();
  return {
    async [Symbol.asyncDispose]() {
      isOver = true;
      worker.kill();
      await watching;
    },
  };
}

describe.concurrent.each(['redis', 'postgres'] as const)('on the %s engine', (kind) => {
  test('jobs that end their worker at once are poison, and those beside them lose no attempt', async () => {
    await using rig = await openRig(kind);
    await using _worker = await superviseWorker(rig.installation);
    const innocents = await rig.submitWaiting(6);
    await waitUntil(async () => (await rig.runs()).length >= 6, { until: 'the innocent run', ...PATIENCE });
    const hostile = await Promise.all([1, 2, 3].map(() => rig.submitHostile('exits')));
    await rig.ends(hostile, 'failed');
    await writeFile(rig.gate, '');
    await rig.ends(innocents, 'succeeded');

    for (const id of innocents) {
      const outcomes = await rig.attemptsOf(id);
      expect(outcomes.at(-1)).toEqual(['succeeded', undefined]);
      expect(new Set(outcomes.slice(0, -1).map(String))).toEqual(new Set(['released,worker_lost']));
      expect(await rig.installation.readJob(id)).toMatchObject({ attemptsMade: 1 });
    }
    for (const id of hostile) {
      const counted = (await rig.attemptsOf(id)).filter(([outcome]) => outcome !== 'released');
      // The first attempt has ended its worker, and counts there, where all the others are in processes of their own.
      expect(counted).toEqual([
        expect.toBeOneOf([
          ['failed', 'handler_exited'],
          ['worker_lost', 'worker_lost'],
        ]),
        ['failed', 'handler_exited'],
      ]);
    }
    expect(await rig.deadLetters()).toEqual(Array(3).fill({ reason: 'poison', attempts_made: 2 }));
  }, 180_000);
});

describe.concurrent('beside a job whose handler', () => {
  test('throws after it has returned, all others are given back in order and lose nothing', async () => {
    await using rig = await openRig('postgres');
    const worker = await rig.installation.startWorker();
    const innocents = await rig.submitWaiting(5);
    await waitUntil(async () => (await rig.runs()).length >= 5, { until: 'the innocent run', ...PATIENCE });
    const hostile = await rig.submitHostile('returnsAndThrowsLater');
    expect(await worker.exited).toEqual({ code: 1, signal: null });
    expect(
      worker.lines.filter((line) => line.includes(hostile) && line.includes('test.hostile')),
    ).not.toEqual([]);
    expect(await rig.ledger(['suspect', 'losses', 'attempts_made'])).toEqual(
      Array(5).fill({ suspect: false, losses: 0, attempts_made: 0 }),
    );
    await rig.installation.startWorker();
    await writeFile(rig.gate, '');
    await rig.ends(innocents, 'succeeded');
    await rig.ends([hostile], 'succeeded');
    for (const id of innocents)
      expect(await rig.attemptsOf(id)).toEqual([
        ['released', undefined],
        ['succeeded', undefined],
      ]);
  }, 180_000);

  test('makes something throw that belongs to no attempt, all are suspects, and only the guilty one is convicted', async () => {
    await using rig = await openRig('postgres');
    await using _worker = await superviseWorker(rig.installation);
    const innocents = await rig.submitWaiting(3);
    await waitUntil(async () => (await rig.runs()).length >= 3, { until: 'the innocent run', ...PATIENCE });
    const hostile = await rig.submitHostile('hasTheModuleThrow');
    await rig.ends([hostile], 'failed');
    await writeFile(rig.gate, '');
    await rig.ends(innocents, 'succeeded');
    expect(await rig.attemptsOf(hostile)).toEqual([
      ['released', undefined],
      ['failed', 'handler_exited'],
      ['failed', 'handler_exited'],
    ]);
    expect(await rig.deadLetters()).toEqual([{ reason: 'poison', attempts_made: 2 }]);
    expect(await rig.ledger(['suspect', 'losses', 'attempts_made'])).toEqual(
      Array(3).fill({ suspect: false, losses: 0, attempts_made: 1 }),
    );
  }, 180_000);

  test('throws while it runs, its own attempt counts and no other', async () => {
    await using rig = await openRig('postgres');
    await using _worker = await superviseWorker(rig.installation);
    const innocents = await rig.submitWaiting(3);
    await waitUntil(async () => (await rig.runs()).length >= 3, { until: 'the innocent run', ...PATIENCE });
    const hostile = await rig.submitHostile('throwsLater');
    await rig.ends([hostile], 'failed');
    await writeFile(rig.gate, '');
    await rig.ends(innocents, 'succeeded');
    expect(await rig.attemptsOf(hostile)).toEqual(Array(2).fill(['failed', 'handler_exited']));
    expect(await rig.deadLetters()).toEqual([{ reason: 'poison', attempts_made: 2 }]);
    expect(await rig.ledger(['losses', 'attempts_made'])).toEqual(
      Array(3).fill({ losses: 0, attempts_made: 1 }),
    );
  }, 180_000);
});

test.concurrent('a job that ends its worker alone has used up that attempt, ends only its own process in the next one, and is named in the log', async () => {
  await using rig = await openRig('postgres');
  const worker = await rig.installation.startWorker();
  const hostile = await rig.submitHostile('exits');
  expect(await worker.exited).toEqual({ code: 1, signal: null });
  expect(worker.lines.find((line) => line.includes('ended by process.exit()'))).toContain(hostile);
  const other = await rig.installation.startWorker();
  await rig.ends([hostile], 'failed');
  expect(await rig.attemptsOf(hostile)).toEqual([
    ['worker_lost', 'worker_lost'],
    ['failed', 'handler_exited'],
  ]);
  expect(await rig.deadLetters()).toEqual([{ reason: 'poison', attempts_made: 2 }]);
  other.kill('SIGTERM');
  expect(await other.exited).toEqual({ code: 0, signal: null });
}, 180_000);

test.concurrent('the jobs of a machine that is lost all run again at once, each in a process of its own, and lose no attempt', async () => {
  await using rig = await openRig('postgres');
  const lost = await rig.installation.startWorker();
  const jobs = await rig.submitWaiting(20);
  await waitUntil(async () => (await rig.runs()).length === 20, { until: 'all run', ...PATIENCE });
  lost.kill();
  const other = await rig.installation.startWorker();
  await waitUntil(async () => (await rig.runs()).length === 40, { until: 'all run again', ...PATIENCE });

  const again = (await rig.runs()).slice(20);
  expect(new Set(again.map(({ jobId }) => jobId))).toEqual(new Set(jobs));
  expect(new Set(again.map(({ pid }) => pid)).size).toBe(20);
  expect(again.every(({ pid, nth }) => pid !== other.pid && nth === 1)).toBe(true);
  await writeFile(rig.gate, '');
  await rig.ends(jobs, 'succeeded');
  expect(await rig.ledger(['suspect', 'losses', 'attempts_made'])).toEqual(
    Array(20).fill({ suspect: false, losses: 1, attempts_made: 1 }),
  );
}, 180_000);
