import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ApiUnderTest, startApi } from './api-under-test.ts';

const OURS = 'https://app.example.com';

const preflight = (api: ApiUnderTest, origin: string, method = 'POST') =>
  api.app.inject({
    method: 'OPTIONS',
    url: '/v1/jobs',
    headers: {
      origin,
      'access-control-request-method': method,
      'access-control-request-headers': 'authorization,content-type,idempotency-key',
    },
  });

describe('with CORS_ORIGINS', () => {
  let api: ApiUnderTest;
  beforeAll(async () => {
    api = await startApi({ CORS_ORIGINS: `${OURS},https://other.example.com` });
  });
  afterAll(async () => await api[Symbol.asyncDispose]());

  test('a page of such an origin may send and read requests, also those that fail', async () => {
    const asked = await preflight(api, OURS);
    expect(asked.statusCode).toBe(204);
    expect(asked.headers).toMatchObject({
      'access-control-allow-origin': OURS,
      'access-control-allow-headers': expect.stringContaining('idempotency-key'),
      'access-control-allow-methods': expect.stringContaining('POST'),
    });
    expect(asked.headers['access-control-allow-credentials']).toBeUndefined();
    for (const key of [api.key, null]) {
      const reply = await api.send('GET', '/v1/jobs', { headers: { origin: OURS }, key });
      expect(reply.statusCode).toBe(key ? 200 : 401);
      expect(reply.headers).toMatchObject({
        'access-control-allow-origin': OURS,
        'access-control-expose-headers': expect.stringContaining('Location'),
        vary: expect.stringMatching(/origin/i),
      });
    }
  });

  test('a page of another origin may not', async () => {
    const asked = await preflight(api, 'https://evil.example.com');
    expect(asked.headers['access-control-allow-origin']).toBeUndefined();
    const reply = await api.send('GET', '/v1/jobs', { headers: { origin: 'https://evil.example.com' } });
    expect(reply.headers['access-control-allow-origin']).toBeUndefined();
  });

  test('what is nowhere is still not found, and a wrong method still has its Allow', async () => {
    expect((await api.send('GET', '/nonsense')).statusCode).toBe(404);
    expect((await api.send('DELETE', '/v1/jobs')).headers.allow).toBe('GET, HEAD, POST');
  });
});

test('without CORS_ORIGINS no page of another origin may', async () => {
  await using api = await startApi();
  const asked = await preflight(api, OURS);
  expect(asked.headers['access-control-allow-origin']).toBeUndefined();
  const reply = await api.send('GET', '/v1/jobs', { headers: { origin: OURS } });
  expect(reply.headers['access-control-allow-origin']).toBeUndefined();
});

test.each(['*', 'app.example.com', 'https://app.example.com/', 'https://*.example.com'])(
  'CORS_ORIGINS=%s is refused',
  async (text) => {
    await expect(startApi({ CORS_ORIGINS: text })).rejects.toThrow('CORS_ORIGINS is');
  },
);
