import { setTimeout as delay } from 'node:timers/promises';
import { newUuid } from '@accepted/shared/core/job/id';
import { addToEngine, type EngineJob, readDelivery } from '@accepted/shared/engine/engine';
import { openEngine } from '@accepted/shared/engine/open-engine';
import { startRedisServer } from '@accepted/testing/redis-server';
import { startTcpProxy } from '@accepted/testing/tcp-proxy';
import { createTestDatabase } from '@accepted/testing/test-database';
import { waitUntil } from '@accepted/testing/wait-until';
import { describe, expect, test } from 'vitest';

const NOBODY_LISTENS = { host: '127.0.0.1', port: 1 };
const MOMENTS_MS = [0, 1, 2, 3, 5, 8, 13, 21, 34];

const newJob = (): EngineJob => ({ id: newUuid(), dispatchNo: 1, type: 'test.noop', traceparent: null });

/** An engine behind a link that can be cut; it is on its own for as long as the test lasts. */
async function openRig(kind: 'redis' | 'postgres') {
  const server = kind === 'redis' ? await startRedisServer() : undefined;
  const database = await createTestDatabase({ engine: kind });
  const behind = new URL(server?.url ?? database.url);
  const target = { host: behind.hostname, port: Number(behind.port) };
  const proxy = await startTcpProxy({ target });
  behind.port = String(proxy.port);
  const engine = openEngine({
    databaseUrl: kind === 'redis' ? database.url : behind.href,
    redisUrl: kind === 'redis' ? behind.href : undefined,
    onError: () => undefined,
  });
  return {
    engine,
    cut() {
      proxy.retarget(NOBODY_LISTENS);
      proxy.resetAll();
    },
    mend: () => proxy.retarget(target),
    async [Symbol.asyncDispose]() {
      await engine.close();
      await proxy.close();
      await server?.[Symbol.asyncDispose]();
      await database.drop();
    },
  };
}

type Rig = Awaited<ReturnType<typeof openRig>>;

/** Starts a worker of this queue, and answers what it is handed. */
function collect({ engine }: Rig, name: string) {
  const delivered: string[] = [];
  const take = async (job: { data: unknown }) =>
    void delivered.push(...readDelivery(job.data).map(({ id }) => id));
  return { delivered, worker: engine.openWorker(name, take, { concurrency: 1 }) };
}

/** A dispatcher tries again until its engine takes the jobs. */
async function expectDelivery(rig: Rig, name: string, delivered: string[]): Promise<void> {
  const job = newJob();
  const isAdded = async () => {
    await addToEngine(rig.engine, name, [[job]]);
    return true;
  };
  await waitUntil(isAdded, { until: `queue ${name} takes a job`, timeoutMs: 15_000 });
  await waitUntil(() => delivered.includes(job.id), { until: `${name} delivers it`, timeoutMs: 15_000 });
}

describe.each(['redis', 'postgres'] as const)('on %s', (kind) => {
  test('a queue and a worker that are opened while the engine is away work when it is back', async () => {
    await using rig = await openRig(kind);
    rig.cut();
    await expect(addToEngine(rig.engine, 'away', [[newJob()]])).rejects.toThrow();
    const { delivered, worker } = collect(rig, 'away');
    rig.mend();
    await expectDelivery(rig, 'away', delivered);
    await worker.close(true);
  }, 60_000);

  test('whenever the link is cut while they are opened, they work when it is back', async () => {
    await using rig = await openRig(kind);
    const opened = [];
    for (const momentMs of MOMENTS_MS) {
      const name = `cut-after-${momentMs}`;
      void rig.engine.queue(name);
      opened.push({ name, ...collect(rig, name) });
      await delay(momentMs);
      rig.cut();
      await delay(momentMs);
      rig.mend();
    }
    await Promise.all(opened.map(({ name, delivered }) => expectDelivery(rig, name, delivered)));
    await Promise.all(opened.map(({ worker }) => worker.close(true)));
  }, 120_000);
});
