import { setTimeout as delay } from 'node:timers/promises';
import { newUuid } from '@accepted/shared/core/job/id';
import type { EngineJob, Lane } from '@accepted/shared/engine/engine';
import { laneName } from '@accepted/shared/engine/names';
import { startRedisServer } from '@accepted/testing/redis-server';
import { startTcpProxy } from '@accepted/testing/tcp-proxy';
import { createTestDatabase } from '@accepted/testing/test-database';
import { openTestEngine } from '@accepted/testing/test-engine';
import { waitUntil } from '@accepted/testing/wait-until';
import { describe, expect, test } from 'vitest';

const NOBODY_LISTENS = { host: '127.0.0.1', port: 1 };
const AWAY: Lane = { queue: 'away', buildId: 'b' };
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
  const engine = openTestEngine({
    databaseUrl: kind === 'redis' ? database.url : behind.href,
    redisUrl: kind === 'redis' ? behind.href : undefined,
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

/** Starts to take from this lane, and answers what it is handed. */
function collect({ engine }: Rig, lane: Lane) {
  const delivered: string[] = [];
  const consumer = engine.consume(
    lane,
    async (delivery) => void delivered.push(...delivery.map(({ id }) => id)),
    { concurrency: 1 },
  );
  return { delivered, consumer };
}

/** A dispatcher tries again until its engine takes the jobs. */
async function expectDelivery(rig: Rig, lane: Lane, delivered: string[]): Promise<void> {
  const job = newJob();
  const isAdded = async () => {
    await rig.engine.deliver(lane, [[job]]);
    return true;
  };
  await waitUntil(isAdded, { until: `${lane.queue} takes a job`, timeoutMs: 15_000 });
  await waitUntil(() => delivered.includes(job.id), {
    until: `${lane.queue} delivers it`,
    timeoutMs: 15_000,
  });
}

describe.each(['redis', 'postgres'] as const)('on %s', (kind) => {
  test('a queue and a worker that are opened while the engine is away work when it is back', async () => {
    await using rig = await openRig(kind);
    rig.cut();
    await expect(rig.engine.deliver(AWAY, [[newJob()]])).rejects.toThrow();
    const { delivered, consumer } = collect(rig, AWAY);
    rig.mend();
    await expectDelivery(rig, AWAY, delivered);
    await consumer.close();
  }, 60_000);

  test('whenever the link is cut while they are opened, they work when it is back', async () => {
    await using rig = await openRig(kind);
    const opened = [];
    for (const momentMs of MOMENTS_MS) {
      const lane = { queue: `cut-after-${momentMs}`, buildId: 'b' };
      void rig.engine.store.queue(laneName(lane));
      opened.push({ lane, ...collect(rig, lane) });
      await delay(momentMs);
      rig.cut();
      await delay(momentMs);
      rig.mend();
    }
    await Promise.all(opened.map(({ lane, delivered }) => expectDelivery(rig, lane, delivered)));
    await Promise.all(opened.map(({ consumer }) => consumer.close()));
  }, 120_000);
});
