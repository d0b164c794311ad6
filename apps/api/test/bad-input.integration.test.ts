import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type ApiUnderTest, countJobs, startApi } from './api-under-test.ts';

let api: ApiUnderTest;
beforeAll(async () => {
  api = await startApi({ MAX_BODY_BYTES: '65536' });
});
afterAll(async () => await api[Symbol.asyncDispose]());

afterEach(async () => {
  expect(await countJobs(api.db)).toBe(0);
});

const VALID = { type: 'test.echo', payload: {} };

async function submitText(text: string | Buffer, headers: Record<string, string> = {}) {
  const reply = await api.send('POST', '/v1/jobs', {
    body: text,
    headers: { 'content-type': 'application/json', ...headers },
  });
  expect(reply.headers['content-type']).toContain('application/problem+json');
  const problem = reply.json();
  expect(problem).toMatchObject({
    type: `https://jobs.test/problems/${problem.code}`,
    title: expect.any(String),
    status: reply.statusCode,
    detail: expect.any(String),
    requestId: reply.headers['x-request-id'],
  });
  return { status: reply.statusCode, code: problem.code, pointers: pointersOf(problem), problem };
}

const pointersOf = (problem: { errors?: { pointer: string }[] }) =>
  problem.errors?.map((fault) => fault.pointer);

test('malformed JSON is 400 with the place', async () => {
  const { status, code, problem } = await submitText('{"type": "test.echo",\n "payload": }');
  expect([status, code]).toEqual([400, 'malformed_json']);
  expect(problem.errors[0].detail).toContain('line 2, column 13');
});

test('text that is not UTF-8 is 400', async () => {
  expect(await submitText(Buffer.from([0x22, 0xc3, 0x28, 0x22]))).toMatchObject({
    status: 400,
    code: 'malformed_json',
  });
});

test.each([
  ['text/plain'],
  ['application/x-www-form-urlencoded'],
  ['application/xml'],
  ['application/merge-patch+json'],
  ['nonsense'],
  ['application/json; charset=utf-16'],
])('the content type %s is 415', async (contentType) => {
  const answer = await submitText(JSON.stringify(VALID), { 'content-type': contentType });
  expect(answer).toMatchObject({ status: 415, code: 'unsupported_media_type' });
});

test('a compressed body is 415', async () => {
  const answer = await submitText(JSON.stringify(VALID), { 'content-encoding': 'gzip' });
  expect(answer).toMatchObject({ status: 415, code: 'unsupported_media_type' });
});

test('a body over the limit is 413', async () => {
  const answer = await submitText(JSON.stringify({ ...VALID, payload: { text: 'x'.repeat(70_000) } }));
  expect(answer).toMatchObject({ status: 413, code: 'body_too_large' });
});

test('an empty body is told from one that is null', async () => {
  const detailOf = async (text: string) => (await submitText(text)).problem.errors;
  expect(await detailOf('')).toEqual([{ pointer: '', detail: 'The body is empty, and must be an object.' }]);
  expect(await detailOf('null')).toEqual([{ pointer: '', detail: 'It must be an object, not null.' }]);
});

const INVALID_BODIES: [string, string, string[]][] = [
  ['no body', '', ['']],
  ['null', 'null', ['']],
  ['a list', '[]', ['']],
  ['nothing in it', '{}', ['/type', '/payload']],
  ['an unknown type', '{"type":"nope","payload":{}}', ['/type']],
  [
    'the type of deliveries, which clients must not forge',
    '{"type":"webhook.deliver","payload":{}}',
    ['/type'],
  ],
  ['a type named like a method of objects', '{"type":"constructor","payload":{}}', ['/type']],
  ['an unknown field', '{"type":"test.echo","payload":{},"prioritty":"high"}', ['/prioritty']],
  ['a payload against its schema', '{"type":"test.echo","payload":{"count":1.5}}', ['/payload/count']],
  ['an unknown field of a strict payload', '{"type":"test.strict","payload":{"a/b":1}}', ['/payload/a~1b']],
  ['a payload of another type', '{"type":"test.echo","payload":[]}', ['/payload']],
  ['an unknown queue', '{"type":"test.echo","payload":{},"queue":"nope"}', ['/queue']],
  ['an unknown priority', '{"type":"test.echo","payload":{},"priority":"urgent"}', ['/priority']],
  ['a number as text', '{"type":"test.echo","payload":{},"delayMs":"5"}', ['/delayMs']],
  ['a negative delay', '{"type":"test.echo","payload":{},"delayMs":-1}', ['/delayMs']],
  ['no time', '{"type":"test.echo","payload":{},"runAt":"tomorrow"}', ['/runAt']],
  [
    'a day that does not exist',
    '{"type":"test.echo","payload":{},"runAt":"2999-02-30T00:00:00Z"}',
    ['/runAt'],
  ],
  ['a time without a zone', '{"type":"test.echo","payload":{},"runAt":"2999-01-01T00:00:00"}', ['/runAt']],
  ['a leap second', '{"type":"test.echo","payload":{},"runAt":"2999-12-31T23:59:60Z"}', ['/runAt']],
  ['a time in the past', '{"type":"test.echo","payload":{},"runAt":"2020-01-01T00:00:00Z"}', ['/runAt']],
  ...[
    '9999-12-31T23:59:59-23:59',
    '4026-01-01T00:00:00Z',
    '0000-01-01T00:00:00+23:59',
    '2999-01-01 00:00:00Z',
    '2999-01-01T00:00:00+0100',
    new Date(Date.now() + 366 * 86_400_000 + 3_600_000).toISOString(),
  ].map((runAt): [string, string, string[]] => [
    `to run at ${runAt}`,
    JSON.stringify({ type: 'test.echo', payload: {}, runAt }),
    ['/runAt'],
  ]),
  ['a delay of 367 days', `{"type":"test.echo","payload":{},"delayMs":${367 * 86_400_000}}`, ['/delayMs']],
  ['a ttl of 367 days', `{"type":"test.echo","payload":{},"ttlMs":${367 * 86_400_000}}`, ['/ttlMs']],
  [
    'a timeout of two days',
    `{"type":"test.echo","payload":{},"timeoutMs":${2 * 86_400_000}}`,
    ['/timeoutMs'],
  ],
  [
    'a number of milliseconds beyond all bounds',
    '{"type":"test.echo","payload":{},"delayMs":1e308,"ttlMs":1e308,"timeoutMs":1e308}',
    ['/delayMs', '/ttlMs', '/timeoutMs'],
  ],
  [
    'runAt and delayMs',
    '{"type":"test.echo","payload":{},"runAt":"2999-01-01T00:00:00Z","delayMs":1}',
    ['/delayMs'],
  ],
  [
    'an unknown backoff',
    '{"type":"test.echo","payload":{},"retry":{"backoff":{"type":"cubic"}}}',
    ['/retry/backoff/type'],
  ],
  [
    'an incomplete backoff',
    '{"type":"test.echo","payload":{},"retry":{"backoff":{"type":"fixed","jiter":"full"}}}',
    ['/retry/backoff/delayMs', '/retry/backoff/jiter'],
  ],
  [
    'too many attempts',
    '{"type":"test.echo","payload":{},"retry":{"maxAttempts":1000}}',
    ['/retry/maxAttempts'],
  ],
  ['a relative webhook', '{"type":"test.echo","payload":{},"webhook":{"url":"/hook"}}', ['/webhook/url']],
  [
    'a webhook to a host that cannot exist',
    '{"type":"test.echo","payload":{},"webhook":{"url":"http://x..y/"}}',
    ['/webhook/url'],
  ],
  [
    'a webhook to a file',
    '{"type":"test.echo","payload":{},"webhook":{"url":"file:///etc/passwd"}}',
    ['/webhook/url'],
  ],
  [
    'credentials in a webhook',
    '{"type":"test.echo","payload":{},"webhook":{"url":"https://a:b@c"}}',
    ['/webhook/url'],
  ],
  [
    'an unknown event',
    '{"type":"test.echo","payload":{},"webhook":{"url":"https://a","events":["x"]}}',
    ['/webhook/events/0'],
  ],
  ['the same tag twice', '{"type":"test.echo","payload":{},"tags":["a","a"]}', ['/tags']],
  ['U+0000 in the payload', '{"type":"test.echo","payload":{"a":"x\\u0000"}}', ['/payload/a']],
  ['U+0000 in a name', '{"type":"test.echo","payload":{"a\\u0000":1}}', ['/payload/a\u0000']],
  ['U+0000 in a tag', '{"type":"test.echo","payload":{},"tags":["\\u0000"]}', ['/tags/0']],
  ['half a surrogate pair', '{"type":"test.echo","payload":{"a":"\\ud800"}}', ['/payload/a']],
  ['a number beyond a double', '{"type":"test.echo","payload":{"a":1e999}}', ['/payload/a']],
  ['__proto__', '{"type":"test.echo","payload":{"__proto__":{"admin":true}}}', ['/payload/__proto__']],
  ['__proto__ at the top', '{"type":"test.echo","payload":{},"__proto__":{"x":1}}', ['/__proto__']],
  [
    'constructor.prototype',
    '{"type":"test.echo","payload":{"constructor":{"prototype":{}}}}',
    ['/payload/constructor'],
  ],
  ['metadata of 17 kB', JSON.stringify({ ...VALID, metadata: { text: 'x'.repeat(17_000) } }), ['/metadata']],
];

describe('422 validation_failed with a pointer', () => {
  test.each(INVALID_BODIES)('%s', async (_name, text, pointers) => {
    const answer = await submitText(text);
    expect(answer).toMatchObject({ status: 422, code: 'validation_failed' });
    expect(new Set(answer.pointers)).toEqual(new Set(pointers));
  });

  test('a deeply nested body is told where, not a crash', async () => {
    const deep = `${'['.repeat(10_000)}${']'.repeat(10_000)}`;
    const answer = await submitText(`{"type":"test.echo","payload":${deep}}`);
    expect(answer).toMatchObject({
      status: 422,
      code: 'validation_failed',
      pointers: [`/payload${'/0'.repeat(63)}`],
    });
  });

  test('all faults of a request are told at once', async () => {
    const answer = await submitText(
      '{"type":"test.echo","payload":{"count":"many","note":"\\u0000"},"priority":"x","runAt":"2020-01-01T00:00:00Z","extra":1,"queue":"nope"}',
    );
    expect(new Set(answer.pointers)).toEqual(
      new Set(['/payload/count', '/payload/note', '/priority', '/runAt', '/extra', '/queue']),
    );
  });
});

test('an unknown query parameter is 400', async () => {
  const reply = await api.send('POST', '/v1/jobs?dryRun=1', { body: VALID });
  expect(reply.statusCode).toBe(400);
  expect(reply.json()).toMatchObject({ code: 'invalid_parameter', errors: [{ pointer: '/query/dryRun' }] });
});

test.each([
  ['PUT', '/v1/jobs', 'GET, HEAD, POST'],
  ['DELETE', '/v1/jobs/job_01h455vb4pex5vsknk084sn02q/result', 'GET, HEAD'],
  ['GET', '/v1/jobs/job_01h455vb4pex5vsknk084sn02q/cancel?x=1', 'POST'],
  ['POST', '/livez', 'GET, HEAD'],
])('%s %s is 405, with the methods that are allowed', async (method, url, allow) => {
  const reply = await api.send(method as 'GET', url);
  expect([reply.statusCode, reply.json().code]).toEqual([405, 'method_not_allowed']);
  expect(reply.headers.allow).toBe(allow);
});

test.each([
  ['GET', '/nonsense'],
  ['GET', '/v1/jobs/a/b/c'],
])('%s %s is 404 not_found', async (method, url) => {
  const reply = await api.send(method as 'GET', url);
  expect([reply.statusCode, reply.json().code]).toEqual([404, 'not_found']);
});

test('a path that cannot be decoded is 400', async () => {
  const reply = await api.send('GET', '/v1/jobs/%E0%A4%A');
  expect([reply.statusCode, reply.json().code]).toEqual([400, 'malformed_request']);
  expect(reply.headers['content-type']).toContain('application/problem+json');
});
