import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { newUuid, publicId } from '@accepted/shared/core/job/id';
import { DELIVERY_QUEUE, deliveryJobs } from '@accepted/shared/core/webhook/event';
import type { Database } from '@accepted/shared/ledger/connection/connect';
import { insertJobs } from '@accepted/shared/ledger/jobs/insert-jobs';
import { createTestDatabase } from '@accepted/testing/test-database';
import { createTestRedis } from '@accepted/testing/test-redis';
import { waitUntil } from '@accepted/testing/wait-until';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type Installation, startInstallation } from './installation.ts';

const ANSWERING = 17;
const JOBS_EACH = 6;
/** `HANGING_DELIVERIES=100000` is the size that the figures of docs/webhooks.md are from. */
const WAITING = Number(process.env.HANGING_DELIVERIES ?? 3_000);
const BATCH = 1_000;
const MOST_MS = 1_000;
const TEST_TIMEOUT_MS = 600_000;

async function listenOn(server: Server): Promise<string> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

const FAULTS = ['hangs', 'drips', 'refuses'] as const;

/** An endpoint that answers nothing, or a byte of its answer now and then, or hangs up, so that its circuit breaker is opened at once. */
async function startFaulty(fault: (typeof FAULTS)[number]): Promise<{ url: string; calls: () => number }> {
  const sockets = new Set<Socket>();
  let calls = 0;
  const server = createServer((socket) => {
    calls += 1;
    if (fault === 'refuses') return socket.destroy();
    sockets.add(socket);
    const drip = fault === 'drips' && setInterval(() => socket.write('H'), 500);
    socket
      .on('error', () => undefined)
      .once('close', () => {
        sockets.delete(socket);
        if (drip) clearInterval(drip);
      });
    socket.resume();
  });
  const url = await listenOn(server);
  onTestFinished(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return { url, calls: () => calls };
}

/** An endpoint that answers at once, and notes when it was told of each job. */
async function startAnswering(toldAtMs: Map<string, number>): Promise<string> {
  const server = createHttpServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => {
      body += chunk;
    });
    request.on('end', () => {
      const { id } = JSON.parse(body).data as { id: string };
      toldAtMs.set(id, Date.now());
      response.writeHead(204).end();
    });
  });
  const url = await listenOn(server);
  onTestFinished(() => void server.close());
  return url;
}

/** Writes deliveries to these endpoints, as many as if jobs had ended that ask for them. */
async function insertDeliveries(
  db: Database,
  tenantId: string,
  urls: string[],
  count: number,
): Promise<void> {
  for (let made = 0; made < count; made += BATCH) {
    const jobs = Array.from({ length: Math.min(BATCH, count - made) }, (_, index) => {
      const id = newUuid();
      const job = {
        ...{ id, tenant_id: tenantId, type: 'test.append-line', status: 'succeeded' as const },
        ...{ request_id: null, traceparent: null, tracestate: null, finished_at: new Date() },
        webhook: { url: urls[index % urls.length] ?? '', events: ['job.succeeded'] },
      };
      return deliveryJobs(job, { id: publicId('job', id) });
    });
    await insertJobs(db, jobs.flat());
  }
}

/** Whether all that is due was looked at once: a burst is put aside at some 30,000 a second, and holds up its tenant so long. */
async function isEveryKeyLookedAt(db: Database): Promise<boolean> {
  const row = db.selectFrom('ready').select('job_id').where('queue', '=', DELIVERY_QUEUE).limit(1);
  return (await row.executeTakeFirst()) === undefined;
}

/** Answers after how long each endpoint was told of a job, from its end on. */
async function measureOthers(
  installation: Installation,
  db: Database,
  urls: string[],
  toldAtMs: Map<string, number>,
) {
  const file = join(installation.folder, 'lines');
  for (let round = 0; round < JOBS_EACH; round += 1) {
    const accepted = await Promise.all(
      urls.map((url) =>
        installation.accept({
          type: 'test.append-line',
          payload: { file, n: round },
          webhook: { url, events: ['job.succeeded'] },
        }),
      ),
    );
    await waitUntil(() => accepted.every(({ id }) => toldAtMs.has(id)), {
      until: 'all endpoints that answer are told',
      timeoutMs: 60_000,
    });
  }
  const ended = await db
    .selectFrom('current_jobs')
    .select(['id', 'finished_at'])
    .where('type', '=', 'test.append-line')
    .where('status', '=', 'succeeded')
    .execute();
  return ended
    .map(
      ({ id, finished_at }) =>
        (toldAtMs.get(publicId('job', id)) ?? Number.NaN) - (finished_at?.getTime() ?? 0),
    )
    .toSorted((one, other) => one - other);
}

describe.each(['redis', 'postgres'] as const)('on the %s engine', (kind) => {
  test(
    'endpoints that hang, drip or hang up delay no others, however many deliveries wait for them',
    async () => {
      await using database = await createTestDatabase({ engine: kind });
      await using redis = await createTestRedis();
      await using installation = await startInstallation({
        databaseUrl: database.url,
        redisUrl: kind === 'redis' ? redis.url : undefined,
        env: { ALLOW_PRIVATE_NETWORKS: '127.0.0.0/8' },
      });
      await installation.startWorker();
      const { id: tenantId } = await database.db.selectFrom('tenants').select('id').executeTakeFirstOrThrow();
      const faulty = await Promise.all(FAULTS.map(startFaulty));
      const toldAtMs = new Map<string, number>();
      const answering = await Promise.all(Array.from({ length: ANSWERING }, () => startAnswering(toldAtMs)));
      await insertDeliveries(
        database.db,
        tenantId,
        faulty.map(({ url }) => url),
        WAITING,
      );
      await waitUntil(() => faulty.every(({ calls }) => calls() > 0), { until: 'all three are called' });
      await waitUntil(() => isEveryKeyLookedAt(database.db), {
        until: 'what waits for them waits apart',
        timeoutMs: 60_000,
      });

      const waitsMs = await measureOthers(installation, database.db, answering, toldAtMs);
      expect(waitsMs).toHaveLength(ANSWERING * JOBS_EACH);
      const p95Ms = waitsMs[Math.floor(waitsMs.length * 0.95)] ?? Number.NaN;
      process.stdout.write(
        `${kind}: ${WAITING} deliveries wait; the others are told within ${p95Ms} ms (p95)\n`,
      );
      expect(p95Ms).toBeLessThanOrEqual(MOST_MS);
    },
    TEST_TIMEOUT_MS,
  );
});
