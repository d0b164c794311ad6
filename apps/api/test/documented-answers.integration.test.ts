import { connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ApiUnderTest, runJob, startApi } from './api-under-test.ts';

let api: ApiUnderTest;
beforeAll(async () => {
  api = await startApi();
  await api.app.listen({ port: 0, host: '127.0.0.1' });
});
afterAll(async () => await api?.[Symbol.asyncDispose]());

interface Operation {
  requestBody?: { required: boolean };
  responses: Record<
    string,
    { description: string; headers: Record<string, { required?: boolean }>; content?: object }
  >;
}

function operations(): [string, Operation][] {
  return Object.entries(api.app.apiDocument().paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]): [string, Operation] => [
      `${method.toUpperCase()} ${path}`,
      operation as unknown as Operation,
    ]),
  );
}

const operation = (name: string) => operations().find(([each]) => each === name)?.[1];

function open(): Socket {
  const address = api.app.server.address();
  return connect(typeof address === 'object' ? (address?.port ?? 0) : 0, '127.0.0.1');
}

async function sendRaw(bytes: string): Promise<string> {
  const socket = open();
  socket.write(bytes);
  return await text(socket);
}

describe('a body that nobody asked for is read all the same', () => {
  test('so every operation that is no GET says what can be wrong with one', () => {
    for (const [name, { responses }] of operations().filter(([each]) => !each.startsWith('GET '))) {
      const codes = [400, 413, 415, 422].map((status) => responses[status]?.description ?? '');
      expect([name, ...codes]).toEqual([
        name,
        expect.stringContaining('`malformed_json`'),
        expect.stringContaining('`body_too_large`'),
        expect.stringContaining('`unsupported_media_type`'),
        expect.stringContaining('`validation_failed`'),
      ]);
    }
  });
});

test('a webhook may have any URL that a browser would take, and is shown as it was sent', async () => {
  const url = 'https://a.test/\u00E4 b?q=\u{1F600}';
  const reply = await api.send('POST', '/v1/jobs', {
    body: { type: 'test.echo', payload: {}, webhook: { url } },
  });
  expect([reply.statusCode, reply.json().webhook.url]).toEqual([202, url]);
  const ajv = new Ajv2020({ strict: false });
  addFormats.default(ajv);
  ajv.addSchema(api.app.apiDocument(), 'openapi');
  const validate = ajv.compile({ $ref: 'openapi#/components/schemas/Job' });
  validate(reply.json());
  expect(validate.errors).toBeNull();
});

test('U+0000 in a query is refused wherever it stands, and every operation says so', async () => {
  for (const [name, { responses }] of operations())
    expect([name, responses[400]?.description]).toEqual([
      name,
      expect.stringContaining('`invalid_parameter`'),
    ]);
  const reply = await api.send('GET', '/livez?x=%00', { key: null });
  expect([reply.statusCode, reply.json().code]).toEqual([400, 'invalid_parameter']);
});

test('GET / says that it is also a page', () => {
  expect(Object.keys(operation('GET /')?.responses[200]?.content ?? {})).toEqual([
    'application/json',
    'text/html',
  ]);
});

describe('a body that may be left out', () => {
  const replayable = async () => {
    const job = await api.submit();
    const error = { code: 'broken', message: 'It broke.', retryable: false };
    await runJob(api.db, job, { kind: 'deadLetter', reason: 'permanent_error', error });
    return (await api.send('GET', `/v1/jobs/${job}`)).json().deadLetterId;
  };
  const PATHS: [string, () => Promise<string>][] = [
    ['POST /v1/jobs/{id}/copy', () => api.submit()],
    ['POST /v1/dead-letters/{id}/replay', replayable],
  ];

  test.each(PATHS)('of %s is documented as such, and is no null', async (name, makeId) => {
    expect(operation(name)?.requestBody?.required).toBe(false);
    const path = name.replace('POST ', '').replace('{id}', await makeId());
    const headers = { 'content-type': 'application/json' };
    const refused = await api.send('POST', path, { body: 'null', headers });
    expect([refused.statusCode, refused.json().errors]).toEqual([
      422,
      [{ pointer: '', detail: 'It must be an object, not null.' }],
    ]);
    expect((await api.send('POST', path)).statusCode).toBe(202);
  });
});

describe('headers', () => {
  test('that are always there are documented as such', () => {
    const required = (name: string, status: number) =>
      Object.entries(operation(name)?.responses[status]?.headers ?? {})
        .filter(([, header]) => header.required)
        .map(([header]) => header)
        .toSorted();
    expect(required('POST /v1/jobs', 202)).toEqual(['ETag', 'Location', 'X-Request-Id']);
    expect(required('POST /v1/jobs', 401)).toEqual(['WWW-Authenticate', 'X-Request-Id']);
    expect(required('POST /v1/jobs', 503)).toEqual(['Retry-After', 'X-Request-Id']);
    expect(required('GET /v1/jobs/{id}/result', 404)).toEqual(['X-Request-Id']);
    for (const [name, { responses }] of operations())
      for (const { headers } of Object.values(responses))
        expect([name, headers['X-Request-Id']?.required]).toEqual([name, true]);
  });

  test.each([
    [
      'an expectation that nobody meets',
      'GET / HTTP/1.1\r\nHost: x\r\nX-Request-Id: mine\r\nExpect: a-miracle\r\n\r\n',
      'mine',
    ],
    [
      'headers that are too large',
      `GET / HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`,
      '[0-9a-f-]{36}',
    ],
    ['what is not HTTP', 'nonsense\r\n\r\n', '[0-9a-f-]{36}'],
    [
      'a path that cannot be decoded',
      'GET /v1/jobs/%E0%A4%A HTTP/1.1\r\nHost: x\r\nX-Request-Id: mine\r\nConnection: close\r\n\r\n',
      'mine',
    ],
  ])('also of the answer to %s have the id that its body has', async (_name, bytes, id) => {
    const answer = await sendRaw(bytes);
    const [, given] = new RegExp(`^x-request-id: (${id})\\r$`, 'm').exec(answer) ?? [];
    expect(answer).toContain(`"requestId":"${given}"`);
    expect(answer).toMatch(/^cache-control: no-store\r$/m);
  });
});

test('a file of the docs that there is not is a problem as well', async () => {
  const reply = await api.send('GET', '/docs/static/nonsense.js', { key: null });
  expect([reply.statusCode, reply.headers['content-type']]).toEqual([
    404,
    'application/problem+json; charset=utf-8',
  ]);
  expect(reply.json().code).toBe('not_found');
});

describe('where there is no such path or method', () => {
  test.each([
    ['POST', '/nonsense', 404, 'not_found'],
    ['PUT', '/v1/jobs', 405, 'method_not_allowed'],
    ['POST', '/livez', 405, 'method_not_allowed'],
  ])('%s %s is answered before its body has come', async (method, path, status, code) => {
    const socket = open();
    socket.write(
      `${method} ${path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9999\r\n\r\n{`,
    );
    const answer = await new Promise<string>((resolve) =>
      socket.once('data', (data) => resolve(String(data))),
    );
    socket.destroy();
    expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(answer).toContain(`"code":"${code}"`);
    expect(answer).toMatch(/^x-content-type-options: nosniff\r$/m);
  });
});
