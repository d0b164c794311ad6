import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import type { ClaimedJob } from '@accepted/shared/core/job/claimed-job';
import { newUuid, publicId } from '@accepted/shared/core/job/id';
import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { attempt } from '../testing/attempt.ts';
import { outboundTo } from '../testing/outbound.ts';
import { createBuiltinHandlers } from './create-builtin-handlers.ts';

const secrets = [0, 1].map(() => `whsec_${randomBytes(32).toString('base64')}`);
const tenantId = newUuid();
const [httpRequest, webhookDeliver] = createBuiltinHandlers({
  webhookSecrets: async (id) => (id === tenantId ? secrets : []),
  outbound: outboundTo('127.0.0.1/32'),
});
if (!httpRequest || !webhookDeliver) throw new Error('A built-in handler is missing.');

let server: Server;
let url: string;
let behave: RequestListener;
const seen: { request: IncomingMessage; body: string }[] = [];

beforeAll(async () => {
  server = createServer(async (request, response) => {
    seen.push({ request, body: await text(request) });
    behave(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/path?key=hidden`;
});
afterAll(() => {
  server.close();
  server.closeAllConnections();
});

const answer = (status: number, headers: Record<string, string> = {}, body: string | Buffer = '') => {
  behave = (_request, response) => response.writeHead(status, headers).end(body);
};

async function request(payload: object, job: Partial<ClaimedJob> = {}) {
  const result = await attempt(httpRequest as never, { ...job, payload: { url, ...payload } });
  return result.kind === 'returned' ? JSON.parse(result.resultJson) : result;
}

describe('http.request', () => {
  it('sends what the payload says, with the job as idempotency key and its trace', async () => {
    answer(201, { 'content-type': 'application/json', 'x-a': 'b' }, '{"ok":true}');
    const id = newUuid();
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    const payload = { method: 'PUT', headers: { 'X-Mine': 'yes' }, body: { n: [1] } };
    expect(await request(payload, { id, traceparent })).toEqual({
      status: 201,
      headers: expect.objectContaining({ 'x-a': 'b' }),
      body: { ok: true },
      bodyEncoding: 'json',
      truncated: false,
      durationMs: expect.any(Number),
    });
    const sent = seen.at(-1);
    expect(sent?.body).toBe('{"n":[1]}');
    expect(sent?.request).toMatchObject({ method: 'PUT', url: '/path?key=hidden' });
    expect(sent?.request.headers).toMatchObject({
      'idempotency-key': publicId('job', id),
      'content-type': 'application/json',
      'x-mine': 'yes',
      traceparent,
    });
  });

  it.each<[string, string | Buffer, string, unknown]>([
    ['text/plain', 'plain', 'text', 'plain'],
    ['application/problem+json', '{"a":1}', 'json', { a: 1 }],
    ['application/json', '{"a":', 'text', '{"a":'],
    ['application/json', '"\\u0000"', 'text', '"\\u0000"'],
    ['application/json', 'null', 'json', null],
    ['image/png', Buffer.from([0x89, 0x50, 0, 0xff]), 'base64', 'iVAA/w=='],
    ['text/plain', 'a\0b', 'base64', 'YQBi'],
  ])('keeps a reply of %s %j as %s', async (type, sent, bodyEncoding, body) => {
    answer(200, { 'content-type': type }, sent);
    expect(await request({})).toMatchObject({ bodyEncoding, body });
  });

  it('keeps the first 64 KiB of a large text whole, without half a character', async () => {
    answer(200, { 'content-type': 'application/json' }, `"${'€'.repeat(50_000)}"`);
    const { body, ...rest } = await request({});
    expect(rest).toMatchObject({ truncated: true, bodyEncoding: 'text' });
    expect(body).toBe(`"${'€'.repeat(21_845)}`);
  });
});

describe('a reply to http.request', () => {
  it.each([301, 302, 303, 304, 307, 308])(
    'that redirects (%i) fails for good and is not followed',
    async (status) => {
      answer(status, { location: '/elsewhere?token=hidden' });
      const before = seen.length;
      const result = await request({});
      const to = status === 304 ? '' : url.replace('/path?key=hidden', '/elsewhere');
      expect(result).toMatchObject({ kind: 'threw', error: { code: `http_${status}`, retryable: false } });
      expect(result.error.message).toContain(`answered ${status}`);
      expect(result.error.message).toContain(to);
      expect(result.error.message).not.toContain('hidden');
      expect(seen.length).toBe(before + 1);
    },
  );

  it('counts as expectStatus says', async () => {
    answer(404);
    expect(await request({ expectStatus: ['2xx', 404] })).toMatchObject({ status: 404 });
    answer(200);
    expect(await request({ expectStatus: 404 })).toMatchObject({
      error: { code: 'http_200', retryable: false },
    });
  });

  it.each<[number, boolean]>([
    [400, false],
    [401, false],
    [404, false],
    [410, false],
    [408, true],
    [425, true],
    [429, true],
    [500, true],
    [503, true],
  ])('fails on %d, worth another try: %s', async (status, retryable) => {
    answer(status, {}, 'why it failed');
    const message = expect.stringMatching(
      /^http:\/\/127\.0\.0\.1:\d+\/path answered \d+ after \d+ ms: why it failed$/,
    );
    expect(await request({})).toMatchObject({
      kind: 'threw',
      error: { code: `http_${status}`, retryable, message },
    });
  });

  it('waits as long as Retry-After asks', async () => {
    answer(503, { 'retry-after': '7' });
    expect(await request({})).toMatchObject({ kind: 'threw', retryAfterMs: 7_000 });
  });
});

describe('a call of http.request', () => {
  it.each<[string, object, string, boolean]>([
    ['a private address', { url: 'http://10.0.0.1/' }, 'address_not_allowed', false],
    ['a URL with credentials', { url: 'http://a:b@127.0.0.1/' }, 'url_not_allowed', false],
    ['a port that nobody listens on', { url: 'http://127.0.0.1:1/' }, 'network_error', true],
    [
      'a header that frames the message',
      { headers: { 'Transfer-Encoding': 'chunked' } },
      'invalid_payload',
      false,
    ],
    ['a header with a line break', { headers: { a: 'b\r\nc: d' } }, 'invalid_payload', false],
    ['a method that is none', { method: 'CONNECT' }, 'invalid_payload', false],
    ['a header that is there twice', { headers: { a: '1', A: '2' } }, 'invalid_payload', false],
    ['a status that none can be', { expectStatus: 100 }, 'invalid_payload', false],
    ['port 0', { url: 'http://127.0.0.1:0/' }, 'url_not_allowed', false],
  ])('fails on %s', async (_name, payload, code, retryable) => {
    expect(await request(payload)).toMatchObject({ kind: 'threw', error: { code, retryable } });
  });

  it('gives up at its own timeout', async () => {
    behave = () => undefined;
    expect(await request({ timeoutMs: 50 })).toMatchObject({
      kind: 'threw',
      error: { code: 'request_timeout', retryable: true },
    });
  });
});

describe('a signed call of http.request', () => {
  it.each<[unknown, string]>([
    [{ a: 1 }, '{"a":1}'],
    ['€', '€'],
    [undefined, ''],
  ])(
    'with the body %j is genuine to a Standard Webhooks receiver, under the id of the job in every try',
    async (body, sent) => {
      answer(204);
      const id = newUuid();
      for (const number of [1, 2]) {
        const payload = { method: 'POST', ...(body !== undefined && { body }), sign: true };
        expect(await request(payload, { id, tenantId, attempt: number })).toMatchObject({ status: 204 });
        const { request: received, body: text } = seen.at(-1) ?? expect.fail();
        expect(text).toBe(sent);
        expect(received.headers['webhook-id']).toBe(publicId('job', id));
        const headers = received.headers as Record<string, string>;
        for (const secret of secrets) new Webhook(secret).verify(text, headers, { jsonParse: false });
      }
    },
  );

  it('does not let the client choose the id', async () => {
    const result = await request({ sign: true, headers: { 'Webhook-Id': 'evt_1' } }, { tenantId });
    expect(result).toMatchObject({ kind: 'threw', error: { code: 'invalid_payload', retryable: false } });
  });

  it('is not sent when there is no secret', async () => {
    const before = seen.length;
    expect(await request({ sign: true })).toMatchObject({ kind: 'threw' });
    expect(seen.length).toBe(before);
  });
});

const payload = () => ({
  eventId: publicId('event', newUuid()),
  url,
  body: '{"type":"job.succeeded","text":"€"}',
});
const deliver = (body: object, job: Partial<ClaimedJob> = {}) =>
  attempt(webhookDeliver, { tenantId, ...job, payload: body });

describe('webhook.deliver', () => {
  it('sends the same bytes under the same id in every attempt, signed with each secret', async () => {
    answer(204);
    const event = payload();
    for (const number of [1, 2]) {
      const result = await deliver(event, { attempt: number });
      expect(result).toMatchObject({ kind: 'returned', resultJson: expect.stringContaining('"status":204') });
    }
    const tries = seen.slice(-2);
    for (const { request: sent, body } of tries) {
      expect(sent).toMatchObject({
        method: 'POST',
        headers: { 'webhook-id': event.eventId, 'content-type': 'application/json' },
      });
      expect(body).toBe(event.body);
      for (const secret of secrets) new Webhook(secret).verify(body, sent.headers as Record<string, string>);
    }
    expect(tries).toHaveLength(2);
  });

  it.each<[number, string, boolean]>([
    [301, 'http_301', true],
    [400, 'http_400', true],
    [404, 'http_404', true],
    [500, 'http_500', true],
    [410, 'endpoint_gone', false],
  ])('fails on %d as %s, worth another try: %s', async (status, code, retryable) => {
    answer(status, { location: '/elsewhere' });
    expect(await deliver(payload())).toMatchObject({ kind: 'threw', error: { code, retryable } });
  });

  it('waits as long as Retry-After asks', async () => {
    answer(429, { 'retry-after': '9' });
    expect(await deliver(payload())).toMatchObject({ kind: 'threw', retryAfterMs: 9_000 });
  });

  it('sends nothing unsigned', async () => {
    const before = seen.length;
    expect(await deliver(payload(), { tenantId: newUuid() })).toMatchObject({ kind: 'threw' });
    expect(seen.length).toBe(before);
  });

  it('keeps a short piece of the reply', async () => {
    answer(200, {}, 'x'.repeat(100_000));
    const result = await deliver(payload());
    expect('resultJson' in result && JSON.parse(result.resultJson).reply).toBe('x'.repeat(1_000));
  });
});

describe('a server at an address that is not allowed', () => {
  const strict = createBuiltinHandlers({ webhookSecrets: async () => secrets, outbound: outboundTo() });

  it.each(['127.0.0.1', '2130706433', '0x7f.1', '[::ffff:127.0.0.1]', 'localhost'])(
    'hears nothing of a webhook or a request to %s',
    async (host) => {
      const target = `http://${host}:${new URL(url).port}/`;
      const before = seen.length;
      for (const [handler, body] of [
        [strict[0], { url: target }],
        [strict[1], { ...payload(), url: target }],
      ] as const) {
        const error = { code: 'address_not_allowed', retryable: false };
        const result = await attempt(handler as never, { tenantId, payload: body });
        expect(result).toMatchObject({ kind: 'threw', error });
      }
      expect(seen.length).toBe(before);
    },
  );

  it('hears nothing of a webhook that another one redirects to it', async () => {
    answer(302, { location: url });
    const before = seen.length;
    expect(await deliver(payload())).toMatchObject({ kind: 'threw', error: { code: 'http_302' } });
    expect(seen.length).toBe(before + 1);
  });
});
