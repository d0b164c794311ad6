import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { PROBLEMS } from '@accepted/shared/contract/problems';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ApiUnderTest, runJob, startApi } from './api-under-test.ts';

let api: ApiUnderTest;
beforeAll(async () => {
  api = await startApi({ REQUEST_TIMEOUT_MS: '300' });
});
afterAll(async () => await api[Symbol.asyncDispose]());

const open = async (url: string) => await api.send('GET', url, { key: null });

test('/livez and /readyz need no key', async () => {
  expect((await open('/livez')).json()).toEqual({ status: 'alive' });
  expect((await open('/readyz')).json()).toEqual({ status: 'ready' });
});

describe('problem pages', () => {
  test('every code has a page, and all are listed', async () => {
    const index = await open('/problems');
    expect(index.headers['content-type']).toContain('text/html');
    for (const [code, { title }] of Object.entries(PROBLEMS)) {
      expect(index.body).toContain(`problems/${code}`);
      const page = await open(`/problems/${code}`);
      expect([page.statusCode, page.body.includes(title)]).toEqual([200, true]);
      const [, back = ''] = /<a href="([^"]+)">All problems/.exec(page.body) ?? [];
      expect((await open(new URL(back, `http://any/problems/${code}`).pathname)).body).toBe(index.body);
    }
  });

  test.each(['constructor', 'nope', '<script>'])('the code %s is 404', async (code) => {
    expect((await open(`/problems/${encodeURIComponent(code)}`)).statusCode).toBe(404);
  });
});

describe('OpenAPI', () => {
  test('the document is 3.1 and describes every route with its scope and its answers', async () => {
    const document = (await open('/openapi.json')).json();
    expect(document.openapi).toBe('3.1.0');
    const operations = Object.entries<Record<string, never>>(document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => ({
        path,
        method,
        operation: operation as Operation,
      })),
    );
    expect(operations.map(({ path, method }) => `${method.toUpperCase()} ${path}`).sort()).toEqual(ROUTES);
    for (const { path, operation } of operations) {
      expect(operation.summary, path).toBeTypeOf('string');
      expect(operation.tags, path).toHaveLength(1);
      if (!path.startsWith('/v1/')) continue;
      expect(operation.security, path).toEqual([{ apiKey: [] }]);
      expect(operation.description, path).toContain(`Needs the scope \`${operation['x-required-scope']}\``);
      expect(Object.keys(operation.responses), path).toEqual(expect.arrayContaining(['401', '403', '503']));
    }
  });

  test('it holds the payload schema of every job type', async () => {
    const { components } = (await open('/openapi.json')).json();
    expect(components.schemas['Payload.test.echo']).toEqual({
      type: 'object',
      properties: { count: { type: 'integer' }, account: { type: 'string' } },
    });
  });

  test('every reference in it leads somewhere', async () => {
    const { body } = await open('/openapi.json');
    const document = JSON.parse(body);
    const references = [...body.matchAll(/"\$ref":"([^"]+)"/g)].map(([, reference]) => reference ?? '');
    expect(references.length).toBeGreaterThan(10);
    for (const reference of references) {
      const [, kind = '', name = ''] = /^#\/components\/(\w+)\/([^/]+)$/.exec(reference) ?? [];
      expect(Object.keys(document.components[kind] ?? {}), reference).toContain(name);
    }
  });

  test('/docs and all its assets come from this server', async () => {
    const page = await open('/docs/static/index.html');
    const html = page.statusCode === 200 ? page : await open('/docs/');
    expect(html.headers['content-type']).toContain('text/html');
    expect(html.headers['content-security-policy']).toMatch(
      /default-src 'self'.*connect-src 'self' https:\/\/jobs\.test;/,
    );
    expect(html.headers['content-security-policy']).not.toMatch(/script-src|unsafe-eval|https:[ ;]/);
    const assets = [...html.body.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, url]) => url ?? '');
    expect(assets.length).toBeGreaterThan(2);
    for (const url of assets) {
      expect(url).not.toMatch(/^(https?:)?\/\//);
      expect((await open(new URL(url, 'http://x/docs/').pathname)).statusCode, url).toBe(200);
    }
  });
});

test('answers match the schemas that OpenAPI gives them', async () => {
  const document = (await open('/openapi.json')).json();
  const ajv = new Ajv2020({ strict: false });
  addFormats.default(ajv);
  ajv.addSchema(document, 'openapi');
  const done = await api.submit();
  await runJob(api.db, done, { kind: 'succeed', resultJson: '[1]' });
  const webhook = { url: 'https://example.com/hook' };
  const failed = await api.submit({ tags: ['x'], concurrencyKey: 'k', ttlMs: 60_000, webhook });
  const error = { code: 'x', message: 'y', retryable: false, stack: 'z' };
  await runJob(api.db, failed, { kind: 'deadLetter', reason: 'permanent_error', error });

  const { deadLetterId } = (await api.send('GET', `/v1/jobs/${failed}`)).json();
  const bulkReplay = (
    await api.send('POST', '/v1/dead-letters/replay', { body: { ids: [deadLetterId] } })
  ).json();

  const answers: [string, string, string][] = [
    [`/v1/dead-letters/${deadLetterId}`, '/v1/dead-letters/{id}', '200'],
    ['/v1/dead-letters', '/v1/dead-letters', '200'],
    ['/v1/dead-letters/groups', '/v1/dead-letters/groups', '200'],
    [bulkReplay.links.self, '/v1/bulk-replays/{id}', '200'],
    ['/v1/audit-log', '/v1/audit-log', '200'],
    [`/v1/jobs/${done}`, '/v1/jobs/{id}', '200'],
    [`/v1/jobs/${failed}`, '/v1/jobs/{id}', '200'],
    ['/v1/jobs', '/v1/jobs', '200'],
    [`/v1/jobs/${failed}/attempts`, '/v1/jobs/{id}/attempts', '200'],
    ['/v1/job-types', '/v1/job-types', '200'],
    ['/v1/job-types/test.echo', '/v1/job-types/{type}', '200'],
    ['/v1/tenants', '/v1/tenants', '200'],
    ['/v1/queues', '/v1/queues', '200'],
    ['/v1/scaling', '/v1/scaling', '200'],
    ['/v1/hotspots', '/v1/hotspots', '200'],
    [`/v1/jobs/${failed}/explain`, '/v1/jobs/{id}/explain', '200'],
    ['/v1/queues/default', '/v1/queues/{name}', '200'],
    ['/v1/api-keys', '/v1/api-keys', '200'],
    [`/v1/jobs/${failed}/result`, '/v1/jobs/{id}/result', '409'],
    ['/v1/jobs/nope', '/v1/jobs/{id}', '404'],
    ['/v1/jobs?limit=0', '/v1/jobs', '400'],
  ];
  for (const [url, path, status] of answers) {
    const reply = await api.send('GET', url);
    expect(String(reply.statusCode), url).toBe(status);
    const [mediaType] = String(reply.headers['content-type']).split(';');
    const pointer = ['paths', path, 'get', 'responses', status, 'content', mediaType ?? '', 'schema'];
    const reference = pointer.map((token) => encodeURIComponent(token.replaceAll('/', '~1'))).join('/');
    const validate = ajv.compile({ $ref: `openapi#/${reference}` });
    validate(reply.json());
    expect(validate.errors, url).toBeNull();
  }
});

test('headers keep browsers from guessing and framing', async () => {
  const { headers } = await api.send('GET', '/v1/jobs');
  expect(headers).toMatchObject({
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
    'content-security-policy': "default-src 'none';frame-ancestors 'none'",
    'x-request-id': expect.any(String),
  });
  expect(headers['x-powered-by']).toBeUndefined();
});

describe('on a socket', () => {
  const half =
    'POST /v1/jobs HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n';

  test.each([
    [
      'a body that never ends',
      () => `${half}Authorization: Bearer ${api.key}\r\n\r\n{"type":`,
      408,
      'request_timeout',
    ],
    ['headers that never end', () => half, 408, 'request_timeout'],
    ['what is not HTTP', () => 'nonsense\r\n\r\n', 400, 'malformed_request'],
    ['enormous headers', () => `${half}X: ${'x'.repeat(20_000)}\r\n\r\n`, 431, 'headers_too_large'],
  ])('%s is answered and closed', async (_name, bytes, status, code) => {
    const port = await listeningPort();
    const socket = connect(port, '127.0.0.1');
    socket.write(bytes());
    const answer = await text(socket);
    expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(answer).toContain('application/problem+json');
    expect(answer).toContain(`"code":"${code}"`);
  });
});

describe('clients that send a byte now and then (slowloris)', () => {
  const start = () => `POST /v1/jobs HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${api.key}\r\n`;
  const json = 'Content-Type: application/json\r\nContent-Length: 100000\r\n\r\n';

  test.each([
    ['headers', () => start(), 'x'],
    ['a header after the other', () => start(), 'X-More: 1\r\n'],
    ['a body', () => `${start()}${json}`, ' '],
    [
      'chunks',
      () => `${start()}Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n`,
      '1\r\n \r\n',
    ],
  ])('as %s are all cut off in time, and others are served meanwhile', async (_name, head, drop) => {
    const port = await listeningPort();
    const startedAt = performance.now();
    const answers = Array.from({ length: 50 }, () => drip(port, head(), drop));
    const served = await fetch(`http://127.0.0.1:${port}/livez`);
    expect(served.status).toBe(200);

    // Bodies of no known length count as the largest, so of many at once some are refused before they are read.
    for (const answer of await Promise.all(answers)) expect(answer).toMatch(/^HTTP\/1.1 (?:408|503) /);
    expect(performance.now() - startedAt).toBeLessThan(5_000);
  });

  /** Sends `drop` every 20 ms for as long as the server lets it, and answers what the server said. */
  async function drip(port: number, head: string, drop: string): Promise<string> {
    const socket = connect(port, '127.0.0.1');
    // The server may hang up while something is on the way.
    socket.on('error', () => undefined);
    socket.write(head);
    const timer = setInterval(() => socket.writable && socket.write(drop), 20);
    let answer = '';
    socket.setEncoding('utf8').on('data', (text) => {
      answer += text;
    });
    await new Promise((resolve) => socket.once('close', resolve));
    clearInterval(timer);
    return answer;
  }
});

async function listeningPort(): Promise<number> {
  if (!api.app.server.listening) await api.app.listen({ port: 0, host: '127.0.0.1' });
  const address = api.app.server.address();
  if (typeof address !== 'object' || !address) throw new Error('The server has no port.');
  return address.port;
}

interface Operation {
  summary?: string;
  description?: string;
  'x-required-scope'?: string;
  tags?: string[];
  security?: object[];
  responses: Record<string, unknown>;
}

const ROUTES = [
  'DELETE /v1/api-keys/{id}',
  'DELETE /v1/dead-letters/{id}',
  'GET /',
  'GET /livez',
  'GET /metrics',
  'GET /openapi.json',
  'GET /problems',
  'GET /problems/{code}',
  'GET /readyz',
  'GET /v1/api-keys',
  'GET /v1/audit-log',
  'GET /v1/breakers',
  'GET /v1/bulk-replays/{id}',
  'GET /v1/dead-letters',
  'GET /v1/dead-letters/groups',
  'GET /v1/dead-letters/{id}',
  'GET /v1/hotspots',
  'GET /v1/job-types',
  'GET /v1/job-types/{type}',
  'GET /v1/jobs',
  'GET /v1/jobs/{id}',
  'GET /v1/jobs/{id}/attempts',
  'GET /v1/jobs/{id}/explain',
  'GET /v1/jobs/{id}/result',
  'GET /v1/queues',
  'GET /v1/queues/{name}',
  'GET /v1/scaling',
  'GET /v1/tenants',
  'GET /v1/tenants/{id}',
  'PATCH /v1/job-types/{type}',
  'PATCH /v1/queues/{name}',
  'PATCH /v1/tenants/{id}',
  'POST /v1/api-keys',
  'POST /v1/bulk-replays/{id}/cancel',
  'POST /v1/dead-letters/discard',
  'POST /v1/dead-letters/replay',
  'POST /v1/dead-letters/{id}/replay',
  'POST /v1/job-types/{type}/pause',
  'POST /v1/job-types/{type}/resume',
  'POST /v1/jobs',
  'POST /v1/jobs/{id}/cancel',
  'POST /v1/jobs/{id}/copy',
  'POST /v1/jobs/{id}/reschedule',
  'POST /v1/queues/{name}/pause',
  'POST /v1/queues/{name}/resume',
  'POST /v1/tenants',
  'POST /v1/tenants/{id}/pause',
  'POST /v1/tenants/{id}/resume',
];
