import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { newUuid } from '@accepted/shared/core/job/id';
import { waitUntil } from '@accepted/testing/wait-until';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { defineHttpRequest } from '../src/handlers/builtin/http-request.ts';
import { outboundTo } from '../src/handlers/testing/outbound.ts';
import { useWorkers } from './use-workers.ts';

const receiver = { status: 500, calls: 0 };
let server: Server;
let url: string;
beforeAll(async () => {
  server = createServer((_, response) => {
    receiver.calls += 1;
    response.writeHead(receiver.status).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
});
afterAll(() => server.close());

describe('jobs that call what does not answer', () => {
  const workers = useWorkers('redis');

  test('wait without losing an attempt, and go once it answers', async () => {
    const handler = defineHttpRequest(outboundTo('127.0.0.1/32'), async () => []);
    await workers.startBuild(handler);
    await workers.startBuild(handler);
    const tenantId = newUuid();
    const payloadJson = JSON.stringify({ url });
    const [queue, backoff] = [handler.queue, { type: 'fixed', delayMs: 1, jitter: 'none' } as const];
    const jobs = await workers.submit(
      handler.type,
      { tenantId, queue, payloadJson, maxAttempts: 5, backoff },
      200,
    );
    const ids = jobs.map(({ id }) => id);
    const { db } = workers.database;
    const held = () => db.selectFrom('due').select('job_id').where('held_by', 'is not', null).execute();
    await waitUntil(async () => (await held()).length > 150, { until: 'most of them are held' });
    receiver.status = 200;
    const read = () => db.selectFrom('current_jobs').selectAll().where('id', 'in', ids).execute();
    const ended = await waitUntil(
      async () => {
        const rows = await read();
        return rows.every(({ finished_at }) => finished_at !== null) ? rows : undefined;
      },
      { until: 'all have ended', timeoutMs: 30_000 },
    );
    expect(new Set(ended.map(({ status }) => status))).toEqual(new Set(['succeeded']));
    // Each call was an attempt, and each attempt that counts was a call.
    expect(ended.reduce((sum, { attempts_made }) => sum + attempts_made, 0)).toBe(receiver.calls);
    expect(receiver.calls).toBeLessThan(2 * jobs.length);
    expect(await db.selectFrom('breakers').selectAll().execute()).toEqual([]);
  });
});
