import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ApiUnderTest, startApi } from './api-under-test.ts';

/** Whatever host a client names, it is this server that it has reached. */
const AUTHORITY = 'http://elsewhere.test';

let api: ApiUnderTest;
let port: number;
beforeAll(async () => {
  api = await startApi();
  await api.app.listen({ port: 0, host: '127.0.0.1' });
  port = (api.app.server.address() as AddressInfo).port;
});
afterAll(() => api[Symbol.asyncDispose]());

/** Sends the target as it is; `inject` would send its path alone. */
async function send(method: string, target: string, headers: Record<string, string> = {}) {
  const asked = request({
    host: '127.0.0.1',
    port,
    method,
    path: target,
    agent: false,
    headers: { authorization: `Bearer ${api.key}`, ...headers },
  });
  asked.end();
  const [reply] = (await once(asked, 'response')) as [IncomingMessage];
  return { status: reply.statusCode, headers: reply.headers, body: JSON.parse(await text(reply)) };
}

test('a target with scheme and host is that path, and so is the link to its next page', async () => {
  const ids = [await api.submit({ tags: ['all'] }), await api.submit({ tags: ['all'] })];
  const first = await send('GET', `${AUTHORITY}/v1/jobs?limit=1&tag=all`);
  expect([first.status, first.body.data[0].id]).toEqual([200, ids[1]]);
  expect(first.headers.link).toMatch(/^<\/v1\/jobs\?limit=1&tag=all&cursor=[^>]+>; rel="next"$/);
});

test('a wrong method is told which ones there are, and no path is told as none', async () => {
  const wrong = await send('DELETE', `${AUTHORITY}/v1/jobs`);
  expect([wrong.status, wrong.headers.allow]).toEqual([405, 'GET, HEAD, POST']);
  const nothing = await send('GET', `${AUTHORITY}/v1/nothing`);
  expect([nothing.status, nothing.body.detail]).toEqual([404, 'There is nothing at /v1/nothing.']);
});

test('the same request in the other form is the same one to its idempotency key', async () => {
  const path = `/v1/jobs/${await api.submit()}/cancel`;
  const key = { 'idempotency-key': 'cancelled once' };
  expect((await send('POST', path, key)).headers['idempotent-replayed']).toBeUndefined();
  const again = await send('POST', `${AUTHORITY}${path}`, key);
  expect([again.body.code, again.headers['idempotent-replayed']]).toEqual([undefined, 'true']);
});
