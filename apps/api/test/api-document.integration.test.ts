import { jobViewWithoutPayload } from '@accepted/shared/contract/job-view';
import { parsePublicId } from '@accepted/shared/core/job/id';
import type { JobStatus } from '@accepted/shared/core/job/status';
import { deliveryJobs, JOB_EVENT_TYPES } from '@accepted/shared/core/webhook/event';
import { registerBuild } from '@accepted/shared/ledger/workers/builds';
import { waitUntil } from '@accepted/testing/wait-until';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ApiUnderTest, runJob, startApi } from './api-under-test.ts';
import { ODD_JOB_TYPES } from './odd-job-types.ts';

let api: ApiUnderTest;
beforeAll(async () => {
  api = await startApi();
  await api.app.ready();
});
afterAll(async () => await api?.[Symbol.asyncDispose]());

const open = (url: string, headers: Record<string, string> = {}) =>
  api.send('GET', url, { key: null, headers });

interface Described {
  description?: string;
  properties?: Record<string, Described>;
  anyOf?: Described[];
  oneOf?: Described[];
  items?: Described;
  $ref?: string;
}

interface Operation {
  operationId: string;
  parameters: { $ref?: string; name: string; in: string; description?: string; schema: object }[];
  responses: Record<string, { headers?: Record<string, { schema: object }>; content?: object }>;
}

function operations(): [string, Operation][] {
  return Object.entries(api.app.apiDocument().paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]): [string, Operation] => [
      `${method.toUpperCase()} ${path}`,
      operation as unknown as Operation,
    ]),
  );
}

describe('the document', () => {
  test('names every operation as a person would, each with a name of its own', () => {
    const ids = operations().map(([, { operationId }]) => operationId);
    expect(ids).toEqual(
      expect.arrayContaining(['submitJob', 'listJobs', 'getJob', 'cancelJob', 'getJobResult']),
    );
    expect(ids.filter((id) => !/^[a-z]+([A-Z][a-z]+)+$/.test(id))).toEqual([]);
    expect(new Set(ids).size).toBe(ids.length);
  });

  test('says what every field and every parameter means', () => {
    const silent: string[] = [];
    const look = (place: string, { properties = {}, items, anyOf = [], oneOf = [] }: Described) => {
      for (const [name, field] of Object.entries(properties)) {
        if (!field.description && !field.$ref) silent.push(`${place}.${name}`);
        look(`${place}.${name}`, field);
      }
      for (const inner of [...anyOf, ...oneOf, ...(items ? [items] : [])]) look(place, inner);
    };
    for (const [name, schema] of Object.entries(api.app.apiDocument().components.schemas))
      look(name, schema as Described);
    for (const [route, { parameters }] of operations()) {
      for (const { name, description, $ref } of parameters)
        if (!description && !$ref) silent.push(`${route} ${name}`);
    }
    expect(silent).toEqual([]);
  });

  test('has a type for every header of requests', () => {
    const headers = operations().flatMap(([, { parameters }]) =>
      parameters.filter((one) => one.in === 'header'),
    );
    expect(new Set(headers.map(({ name }) => name))).toEqual(
      new Set(['Idempotency-Key', 'Prefer', 'If-None-Match', 'traceparent', 'tracestate']),
    );
    expect(headers.filter(({ schema }) => !('type' in schema))).toEqual([]);
    expect(api.app.apiDocument().components.parameters).toHaveProperty('RequestId');
  });

  test('is written once for every catalog, and told by its ETag', async () => {
    const first = await open('/openapi.json');
    expect(first.headers.etag).toMatch(/^"[\w-]{43}"$/);
    expect((await open('/openapi.json', { 'if-none-match': String(first.headers.etag) })).statusCode).toBe(
      304,
    );
    expect((await open('/openapi.json')).headers.etag).toBe(first.headers.etag);

    await registerBuild(api.db, {
      id: 'odd',
      types: ODD_JOB_TYPES.filter(({ type }) => type === 'odd.recursive'),
    });
    // The catalog is read a few times a second at most.
    const readAgain = async () => {
      await api.app.catalog.readFresh();
      const answer = await open('/openapi.json', { 'if-none-match': String(first.headers.etag) });
      return answer.statusCode === 200 ? answer : undefined;
    };
    const second = await waitUntil(readAgain, { until: 'the document tells of another catalog' });
    expect(second.json().components.schemas).toHaveProperty(['Payload.odd.recursive']);
  });
});

/** Headers that belong to HTTP itself, or keep browsers from harm. */
const NOT_OURS =
  /^(connection|content-(length|type|security-policy)|date|keep-alive|transfer-encoding|x-(content-type-options|download-options|frame-options)|referrer-policy|cross-origin-.*)$/;

test('every header of an answer is in the document, and is as it says', async () => {
  const document = (await open('/openapi.json')).json();
  const ajv = new Ajv2020({ strict: false, coerceTypes: true });
  addFormats.default(ajv);
  const done = await api.submit();
  await runJob(api.db, done, { kind: 'succeed', resultJson: '1' });
  const etag = String((await api.send('GET', `/v1/jobs/${done}`)).headers.etag);
  const pending = await api.submit();
  const body = { type: 'test.echo', payload: {} };
  const once = { 'idempotency-key': 'once' };
  const calls: [string, string, Parameters<typeof api.send>[2]?][] = [
    ['POST /v1/jobs', '/v1/jobs', { body, headers: { 'idempotency-key': 'once', prefer: 'respond-async' } }],
    ['POST /v1/jobs', '/v1/jobs', { body, headers: { 'idempotency-key': 'once' } }],
    ['POST /v1/jobs', '/v1/jobs', { body: {} }],
    ['POST /v1/jobs', '/v1/jobs', { key: null, body }],
    ['GET /v1/jobs/{id}', `/v1/jobs/${pending}`, { headers: { prefer: 'wait=0' } }],
    ['GET /v1/jobs/{id}', `/v1/jobs/${done}`, { headers: { 'if-none-match': etag } }],
    ['GET /v1/jobs/{id}', `/v1/jobs/${done}?onComplete=redirect`],
    ['GET /v1/jobs/{id}', '/v1/jobs/nope'],
    ['GET /v1/jobs/{id}/result', `/v1/jobs/${done}/result`],
    ['GET /v1/jobs/{id}/result', `/v1/jobs/${done}/result`, { headers: { 'if-none-match': etag } }],
    ['GET /v1/jobs/{id}/result', `/v1/jobs/${pending}/result`],
    ['GET /v1/jobs/{id}/attempts', `/v1/jobs/${done}/attempts`],
    ['POST /v1/jobs/{id}/cancel', `/v1/jobs/${pending}/cancel`],
    ['POST /v1/jobs/{id}/cancel', `/v1/jobs/${pending}/cancel`],
    ['GET /v1/jobs', '/v1/jobs?limit=1'],
    ['GET /v1/dead-letters', '/v1/dead-letters'],
    ['GET /v1/dead-letters/groups', '/v1/dead-letters/groups'],
    ['GET /v1/audit-log', '/v1/audit-log'],
    ['GET /v1/job-types', '/v1/job-types'],
    ['GET /v1/queues', '/v1/queues'],
    ['GET /v1/api-keys', '/v1/api-keys'],
    ['POST /v1/api-keys', '/v1/api-keys', { body: { name: 'x', scopes: ['jobs:read'] }, headers: once }],
    ['POST /v1/api-keys', '/v1/api-keys', { body: { name: 'x', scopes: ['jobs:read'] }, headers: once }],
    ['POST /v1/dead-letters/replay', '/v1/dead-letters/replay', { body: { filter: {} } }],
    ['POST /v1/dead-letters/discard', '/v1/dead-letters/discard', { body: { filter: {} } }],
    ['GET /openapi.json', '/openapi.json'],
    ['GET /', '/'],
    ['GET /livez', '/livez'],
    ['GET /readyz', '/readyz'],
    ['GET /problems', '/problems'],
    ['GET /problems/{code}', '/problems/nope'],
    ['GET /metrics', '/metrics'],
  ];
  for (const [route, url, options] of calls) {
    const [method = '', path = ''] = route.split(' ');
    const reply = await api.send(method as 'GET', url, options);
    const response = document.paths[path][method.toLowerCase()].responses[reply.statusCode];
    expect(response, `${route} ${reply.statusCode} ${reply.body.slice(0, 200)}`).toBeDefined();
    const described = Object.entries<{ schema: object }>(response.headers ?? {});
    const known = new Map(described.map(([name, header]) => [name.toLowerCase(), header]));
    for (const [name, value] of Object.entries(reply.headers)) {
      if (NOT_OURS.test(name)) continue;
      const header = known.get(name);
      expect(header, `${route} ${reply.statusCode}: ${name}`).toBeDefined();
      expect(ajv.validate(header?.schema ?? {}, value), `${route} ${name}: ${value}`).toBe(true);
    }
  }
});

test('every webhook is in the document, and what is sent is as it says', async () => {
  const document = (await open('/openapi.json')).json();
  expect(Object.keys(document.webhooks)).toEqual([...JOB_EVENT_TYPES]);
  const ajv = new Ajv2020({ strict: false });
  addFormats.default(ajv);
  ajv.addSchema(document, 'openapi');
  for (const large of [false, true]) {
    const job = await api.submit({ metadata: large ? { text: 'x'.repeat(15_000) } : {}, tags: ['a'] });
    await runJob(api.db, job, {
      kind: 'succeed',
      resultJson: JSON.stringify('x'.repeat(large ? 30_000 : 1)),
    });
    const row = await api.db
      .selectFrom('current_jobs')
      .selectAll()
      .where('id', '=', parsePublicId('job', job) ?? '')
      .executeTakeFirstOrThrow();
    for (const event of JOB_EVENT_TYPES) {
      const status = event.replace('job.', '') as JobStatus;
      const ended = { ...row, status, webhook: { url: 'https://a.test', events: [event] } };
      const [delivery] = deliveryJobs(ended, jobViewWithoutPayload(ended));
      const { body } = JSON.parse(delivery?.payloadJson ?? '');
      const reference = `openapi#/webhooks/${event}/post/requestBody/content/application~1json/schema`;
      const validate = ajv.compile({ $ref: reference });
      validate(JSON.parse(body));
      expect(validate.errors, event).toBeNull();
    }
  }
});

describe('GET /', () => {
  test('says what this is and where to go, without a key and without a secret', async () => {
    const reply = await open('/', { accept: '*/*' });
    expect(reply.json()).toEqual({
      name: 'Accepted',
      description: expect.any(String),
      version: expect.stringMatching(/^\d+\.\d+\.\d+$/),
      links: {
        jobs: '/v1/jobs',
        jobTypes: '/v1/job-types',
        docs: '/docs',
        openapi: '/openapi.json',
        problems: '/problems',
        health: '/readyz',
      },
    });
    for (const path of ['/docs/', '/openapi.json', '/problems', '/readyz'])
      expect((await open(path)).statusCode).toBe(200);
  });

  test.each([
    ['text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8', 'text/html'],
    ['application/json', 'application/json'],
    ['application/json, text/html;q=0.5', 'application/json'],
    ['image/png', 'application/json'],
  ])('to Accept: %s it answers %s', async (accept, mediaType) => {
    const reply = await open('/', { accept });
    expect(reply.headers['content-type']).toContain(mediaType);
    expect(reply.headers.vary).toBe('accept');
  });

  test('its page loads nothing from anywhere', async () => {
    const { body, headers } = await open('/', { accept: 'text/html' });
    expect(headers['content-security-policy']).toBe("default-src 'none';frame-ancestors 'none'");
    expect(body).not.toMatch(/src=|<script|<style|<link|https?:/);
    expect(body).toContain('href="/docs"');
  });
});

test('the page at /docs shows the very document that generators get', async () => {
  for (const path of ['/docs/json', '/docs/yaml']) {
    const { statusCode, headers } = await open(path);
    expect([statusCode, new URL(String(headers.location), `http://x${path}`).pathname]).toEqual([
      302,
      '/openapi.json',
    ]);
  }
});

test('API_DOCS=off closes /docs and /openapi.json, and nothing leads there', async () => {
  await using closed = await startApi({ API_DOCS: 'off' });
  for (const path of ['/docs', '/docs/', '/docs/static/index.html', '/openapi.json']) {
    const reply = await closed.send('GET', path, { key: null });
    expect([path, reply.statusCode, reply.json().code]).toEqual([path, 404, 'not_found']);
  }
  expect((await closed.send('GET', '/', { key: null })).json().links).not.toHaveProperty('docs');
  const page = await closed.send('GET', '/', { key: null, headers: { accept: 'text/html' } });
  expect(page.body).not.toMatch(/docs|openapi/);
  expect((await closed.send('GET', '/v1/jobs')).statusCode).toBe(200);
});
