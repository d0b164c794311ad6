import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ApiUnderTest, startApi } from './api-under-test.ts';

/** Small enough that a second document has to wait. */
const PACE = { bytesPerSecond: 200_000, burstBytes: 1_000 };
const FORWARDED = 'x-forwarded-for';

let api: ApiUnderTest;
let url: string;
beforeAll(async () => {
  api = await startApi({ TRUST_PROXY: '127.0.0.1' }, undefined, { keylessPace: PACE });
  url = await api.app.listen({ port: 0, host: '127.0.0.1' });
});
afterAll(() => api[Symbol.asyncDispose]());

const get = async (path: string, headers: Record<string, string>) => {
  const reply = await fetch(`${url}${path}`, { headers: { 'accept-encoding': 'identity', ...headers } });
  return { status: reply.status, bytes: (await reply.arrayBuffer()).byteLength };
};

/** Asks for a document again and again, from one address; answers how long it had to take, and how long it took. */
async function askOften(headers: Record<string, string>) {
  const startedAt = performance.now();
  const first = await get('/openapi.json', headers);
  await get('/openapi.json', headers);
  const tookMs = performance.now() - startedAt;
  return { tookMs, leastMs: ((first.bytes - PACE.burstBytes) / PACE.bytesPerSecond) * 1_000 };
}

test.each([
  ['nothing', '203.0.113.1', {}],
  ['nonsense', '203.0.113.2', { authorization: 'x' }],
  [
    'a key that there is not',
    '203.0.113.3',
    { authorization: `Bearer acc_${'0'.repeat(26)}_${'0'.repeat(64)}` },
  ],
])('who shows %s is sent what needs no key at its pace', async (_name, address, headers) => {
  const { tookMs, leastMs } = await askOften({ [FORWARDED]: address, ...headers });
  expect(leastMs).toBeGreaterThan(100);
  expect(tookMs).toBeGreaterThan(leastMs);
});

test('an address that has been sent too much keeps nobody else waiting, nor who has a key there', async () => {
  const crowded = { [FORWARDED]: '203.0.113.4' };
  const withKey = { ...crowded, authorization: `Bearer ${api.key}` };
  expect((await get('/v1/jobs', withKey)).status).toBe(200);
  await get('/openapi.json', crowded);
  let isAnswered = false;
  const paced = get('/livez', crowded).finally(() => {
    isAnswered = true;
  });
  await get('/livez', { [FORWARDED]: '203.0.113.5' });
  await get('/v1/jobs', withKey);
  expect(isAnswered).toBe(false);
  expect((await paced).status).toBe(200);
});
