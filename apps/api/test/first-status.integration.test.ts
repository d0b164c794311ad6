import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { waitUntil } from '@accepted/testing/wait-until';
import type { FastifyRequest } from 'fastify';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ApiUnderTest, runJob, startApi } from './api-under-test.ts';

const HANDLED = 'tracing:fastify.request.handler:asyncEnd';
const SUCCEED = { kind: 'succeed', resultJson: '{"done":true}' } as const;

let api: ApiUnderTest;
beforeAll(async () => {
  api = await startApi();
});
afterAll(async () => await api[Symbol.asyncDispose]());

const body = { type: 'test.echo', payload: {} };
const post = (key: string, prefer?: string) =>
  api.send('POST', '/v1/jobs', { body, headers: { 'idempotency-key': key, ...(prefer && { prefer }) } });

/** Waits until the job of a key is written, and finishes it. */
async function finish(key: string): Promise<void> {
  const keys = api.db.selectFrom('idempotency_keys').select('job_id').where('key', '=', key);
  const row = await waitUntil(() => keys.executeTakeFirst(), { until: 'the job is written' });
  await runJob(api.db, row.job_id ?? '', SUCCEED);
}

/** Resolves when the handler of a request with this key has come to its end. */
function handlerOf(key: string): Promise<void> {
  return new Promise((resolve) => {
    const told = (message: unknown) => {
      const { request } = message as { request: FastifyRequest };
      if (request.headers['idempotency-key'] !== key) return;
      unsubscribe(HANDLED, told);
      resolve();
    };
    subscribe(HANDLED, told);
  });
}

const seen = ({ statusCode, headers }: Awaited<ReturnType<typeof post>>) => [
  statusCode,
  headers['idempotent-replayed'],
];

test('a job that was answered with 200 after a wait is answered so again, waited for or not', async () => {
  const first = post('waited', 'wait=20');
  await finish('waited');
  expect(seen(await first)).toEqual([200, undefined]);
  for (const prefer of [undefined, 'wait=20', 'respond-async']) {
    const again = await post('waited', prefer);
    expect(seen(again)).toEqual([200, 'true']);
    expect(again.json()).toEqual((await first).json());
  }
});

test('a job that was answered with 202 is answered so again, though it is finished by now', async () => {
  expect(seen(await post('at once'))).toEqual([202, undefined]);
  expect(seen(await post('too short', 'wait=1'))).toEqual([202, undefined]);
  for (const key of ['at once', 'too short']) {
    await finish(key);
    const again = await post(key, 'wait=20');
    expect(seen(again)).toEqual([202, 'true']);
    expect(again.json()).toMatchObject({ status: 'succeeded', result: { done: true } });
  }
});

test('all that wait for one key are answered alike, and as the first that is answered', async () => {
  const waiting = Array.from({ length: 5 }, () => post('crowd', 'wait=20'));
  const impatient = await waitUntil(
    async () => {
      const reply = await post('crowd');
      return reply.headers['idempotent-replayed'] ? reply : undefined;
    },
    { until: 'another request has made the job' },
  );
  await finish('crowd');
  expect(impatient.statusCode).toBe(202);
  expect(new Set((await Promise.all(waiting)).map(({ statusCode }) => statusCode))).toEqual(new Set([202]));
});

test('a client that is gone before it was answered decides nothing', async () => {
  const address = await api.app.listen({ port: 0, host: '127.0.0.1' });
  const client = new AbortController();
  const handled = handlerOf('gone');
  const headers = {
    authorization: `Bearer ${api.key}`,
    'content-type': 'application/json',
    'idempotency-key': 'gone',
    prefer: 'wait=20',
  };
  const request = { method: 'POST', headers, body: JSON.stringify(body), signal: client.signal };
  const lost = fetch(`${address}/v1/jobs`, request).catch((error: Error) => error.name);
  const keys = api.db.selectFrom('idempotency_keys').select('job_id').where('key', '=', 'gone');
  await waitUntil(() => keys.executeTakeFirst(), { until: 'the job is written' });
  client.abort();
  expect(await lost).toBe('AbortError');
  await handled;
  await finish('gone');
  expect(seen(await post('gone', 'wait=20'))).toEqual([200, 'true']);
});

test('the status of a submit that does not wait is written with the job, and not after it', async () => {
  const isOneWrite = async (key: string) => {
    const { rows } = await sql<{ isOne: boolean }>`
      SELECT keys.xmin = jobs.xmin AS "isOne"
      FROM idempotency_keys AS keys JOIN jobs ON jobs.id = job_id WHERE key = ${key}`.execute(api.db);
    return rows[0]?.isOne;
  };
  await post('no wait');
  await post('wait', 'wait=1');
  expect([await isOneWrite('no wait'), await isOneWrite('wait')]).toEqual([true, false]);
});
