import { type AddressInfo, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import type { JobView } from '@accepted/shared/contract/job-view';
import { addTenant } from '@accepted/shared/ledger/tenants/tenants';
import { secretBox } from '@accepted/testing/secrets-key';
import { createTestDatabase } from '@accepted/testing/test-database';
import { createTestRedis } from '@accepted/testing/test-redis';
import { waitUntil } from '@accepted/testing/wait-until';
import { expect, onTestFinished, test } from 'vitest';
import { startInstallation } from './installation.ts';

const CONCURRENCY = 10;
const SHARE = 8;
const CALLS = 80;
const TIMEOUT_MS = 30_000;

/** Takes connections and answers none of them. */
async function startTarpit() {
  const sockets = new Set<Socket>();
  const open = { most: 0, now: () => sockets.size };
  const server = createServer((socket) => {
    sockets.add(socket);
    open.most = Math.max(open.most, sockets.size);
    socket.on('error', () => undefined).once('close', () => sockets.delete(socket));
    socket.resume();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return { open, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/` };
}

test('a tenant that calls a server which never answers keeps no other tenant waiting', async () => {
  await using database = await createTestDatabase();
  await using redis = await createTestRedis();
  await using installation = await startInstallation({
    databaseUrl: database.url,
    redisUrl: redis.url,
    env: { ALLOW_PRIVATE_NETWORKS: '127.0.0.0/8', WORKER_CONCURRENCY: String(CONCURRENCY) },
  });
  const { apiKey } = await addTenant(database.db, secretBox, 'other');
  await installation.startWorker();
  const tarpit = await startTarpit();
  const payload = { url: tarpit.url, timeoutMs: TIMEOUT_MS };
  const call = () => installation.accept({ type: 'http.request', payload, retry: { maxAttempts: 1 } });
  await Promise.all(Array.from({ length: CALLS }, call));
  await waitUntil(() => tarpit.open.now() === SHARE, { until: 'the tenant has its share' });

  const headers = { authorization: `Bearer ${apiKey}` };
  const file = join(installation.folder, 'other');
  for (let n = 0; n < 5; n += 1) {
    const { id } = await installation.accept({ type: 'test.append-line', payload: { file, n } }, headers);
    const wait = { headers: { ...headers, prefer: 'wait=5' } };
    const job = (await (await installation.request(`/v1/jobs/${id}`, wait)).json()) as JobView;
    expect(job.status).toBe('succeeded');
  }
  expect(tarpit.open.most).toBe(SHARE);
}, 120_000);
