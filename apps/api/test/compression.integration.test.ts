import { createHook } from 'node:async_hooks';
import { gunzipSync } from 'node:zlib';
import type { LightMyRequestResponse } from 'fastify';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ApiUnderTest, runJob, type SendOptions, startApi } from './api-under-test.ts';

const GZIP = { 'accept-encoding': 'gzip' };
const LARGE = { text: 'a large job, and a large result '.repeat(500) };

let api: ApiUnderTest;
let large: string;
beforeAll(async () => {
  api = await startApi({ ADMIN_PASSWORD: 'a password of the test', CORS_ORIGINS: 'https://page.test' });
  large = await api.submit({ payload: LARGE });
  await runJob(api.db, large, { kind: 'succeed', resultJson: JSON.stringify(LARGE) });
  for (let count = 0; count < 20; count += 1) await api.submit({ payload: { count } });
});
afterAll(async () => await api[Symbol.asyncDispose]());

const get = (url: string, headers: Record<string, string> = {}, options: SendOptions = {}) =>
  api.send('GET', url, { ...options, headers });
const codingOf = ({ headers }: LightMyRequestResponse) => headers['content-encoding'];
const plain = (reply: LightMyRequestResponse) => gunzipSync(reply.rawPayload).toString();

describe('what is read with a key', () => {
  test.each(['/v1/jobs?limit=20', `/v1/jobs/LARGE`, '/v1/jobs/LARGE/result'])(
    '%s is compressed for those who take it, and is the same',
    async (path) => {
      const url = path.replace('LARGE', large);
      const asIs = await get(url);
      const small = await get(url, GZIP);
      expect([codingOf(asIs), codingOf(small)]).toEqual([undefined, 'gzip']);
      expect(plain(small)).toBe(asIs.body);
      expect(Number(small.headers['content-length'])).toBe(small.rawPayload.length);
      expect(small.rawPayload.length).toBeLessThan(asIs.rawPayload.length / 3);
      expect([asIs.headers.vary, small.headers.vary]).toEqual([
        'Origin, accept-encoding',
        'Origin, accept-encoding',
      ]);
      expect(small.headers['content-type']).toBe(asIs.headers['content-type']);
    },
  );

  test('goes through a real server, and fetch reads it', async () => {
    await using own = await startApi();
    const id = await own.submit({ payload: LARGE });
    const address = await own.app.listen({ port: 0, host: '127.0.0.1' });
    const headers = { ...GZIP, authorization: `Bearer ${own.key}` };
    const reply = await fetch(`${address}/v1/jobs/${id}`, { headers });
    expect(reply.headers.get('content-encoding')).toBe('gzip');
    expect(await reply.json()).toMatchObject({ id, payload: LARGE });
  });

  test.each([
    ['gzip, deflate, br, zstd', 'gzip'],
    ['br;q=1.0, gzip;q=0.8', 'gzip'],
    ['*', 'gzip'],
    ['GZIP', 'gzip'],
    ['', undefined],
    ['br', undefined],
    ['identity', undefined],
    ['gzip;q=0', undefined],
    ['gzip;q=0, *', undefined],
    ['identity, gzip;q=0.5', undefined],
    ['nonsense;;q=,', undefined],
  ])('Accept-Encoding: %j is answered with the coding %s', async (accepted, coding) => {
    const reply = await get('/v1/jobs?limit=20', { 'accept-encoding': accepted });
    expect([reply.statusCode, codingOf(reply)]).toEqual([200, coding]);
  });

  test('goes as it is where that is small, where only its head is asked for, and where no-transform says so', async () => {
    expect(codingOf(await get('/v1/jobs?limit=1', GZIP))).toBeUndefined();
    expect(codingOf(await api.send('HEAD', '/v1/jobs?limit=20', { headers: GZIP }))).toBeUndefined();
    const headers = { ...GZIP, 'cache-control': 'max-age=0, no-transform' };
    expect(codingOf(await get('/v1/jobs?limit=20', headers))).toBeUndefined();
    const problem = await get(`/v1/jobs?${'unknown=1&'.repeat(500)}`, GZIP);
    expect([problem.statusCode, codingOf(problem)]).toEqual([400, undefined]);
  });

  test.each(['/v1/jobs/LARGE', '/v1/jobs/LARGE/result', '/openapi.json'])(
    'the tag of %s is weak where it is compressed, and either is known again in the form in which it was told',
    async (path) => {
      const url = path.replace('LARGE', large);
      const strong = String((await get(url)).headers.etag);
      const weak = String((await get(url, GZIP)).headers.etag);
      expect(strong).toMatch(/^"[^"]+"$/);
      expect(weak).toBe(`W/${strong}`);
      for (const [known, told] of [
        [strong, strong],
        [weak, weak],
        [`"other", ${weak}`, weak],
        [`${weak}, ${strong}`, strong],
        ['*', strong],
      ] as const) {
        const reply = await get(url, { ...GZIP, 'if-none-match': known });
        expect([known, reply.statusCode, reply.headers.etag]).toEqual([known, 304, told]);
        expect([codingOf(reply), reply.headers.vary]).toEqual([undefined, 'Origin, accept-encoding']);
      }
    },
  );
});

test('what is written is never answered compressed: such an answer may hold a secret', async () => {
  const job = { type: 'test.echo', payload: LARGE };
  const key = { name: 'secret', scopes: ['jobs:read'] };
  for (const [url, body] of [
    ['/v1/jobs', job],
    [`/v1/jobs/${large}/copy`, {}],
    ['/v1/api-keys', key],
  ] as const) {
    const reply = await api.send('POST', url, { body, headers: GZIP });
    expect([url, Math.floor(reply.statusCode / 100), codingOf(reply)]).toEqual([url, 2, undefined]);
  }
});

describe('what anybody may read', () => {
  /** Counts what Node makes to compress something. */
  async function compressionsDuring(work: () => Promise<unknown>): Promise<number> {
    let count = 0;
    const init = (_id: number, type: string) => {
      if (type === 'ZLIB') count += 1;
    };
    const hook = createHook({ init }).enable();
    await work();
    hook.disable();
    return count;
  }

  test('costs nobody the time to compress it again and again', async () => {
    const asked = async () => {
      const paths = Object.entries(api.app.apiDocument().paths);
      const open = paths.filter(([, { get }]) => get && !('x-required-scope' in get)).map(([path]) => path);
      const others = [
        '/docs/',
        '/docs/static/swagger-ui-bundle.js',
        '/admin/login',
        '/admin/queues',
        '/nope',
      ];
      expect(open).toEqual(expect.arrayContaining(['/', '/openapi.json', '/problems', '/readyz']));
      for (const path of [...open, ...others]) {
        const reply = await get(path.replace('{code}', 'overloaded'), GZIP, { key: null });
        expect([path, codingOf(reply)]).toEqual([path, path === '/openapi.json' ? 'gzip' : undefined]);
      }
      await get('/v1/jobs?limit=20', GZIP, { key: null });
    };
    await asked();
    expect(await compressionsDuring(asked)).toBe(0);
    expect(await compressionsDuring(async () => get('/v1/jobs?limit=20', GZIP))).toBe(1);
  });

  test('/openapi.json is the same document in either form', async () => {
    expect(plain(await get('/openapi.json', GZIP, { key: null }))).toBe((await get('/openapi.json')).body);
  });
});
