import { DEFAULT_BACKOFF } from '@accepted/shared/core/job/backoff';
import { newUuid, parsePublicId } from '@accepted/shared/core/job/id';
import { writeProgress } from '@accepted/shared/ledger/jobs/write-progress';
import { registerBuild } from '@accepted/shared/ledger/workers/builds';
import { dispatchOne } from '@accepted/testing/move-jobs';
import { waitUntil } from '@accepted/testing/wait-until';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ApiUnderTest, runJob, startApi } from './api-under-test.ts';
import { dieAgain } from './dead-letters-under-test.ts';

let api: ApiUnderTest;
beforeAll(async () => {
  api = await startApi();
  const defaults = {
    maxAttempts: 3,
    backoff: DEFAULT_BACKOFF,
    timeoutMs: 10_000,
    concurrency: { limit: 1, keyPointer: '/id' },
  };
  const types = [
    { type: 'test.open', queue: 'default', payloadSchema: {}, defaults },
    {
      type: 'test.either',
      queue: 'default',
      payloadSchema: {
        properties: { id: { anyOf: [{ type: 'integer' }, { type: 'string', maxLength: 25 }] } },
      },
      defaults,
    },
    { type: 'http.request', queue: 'default', payloadSchema: {}, defaults },
  ];
  await registerBuild(api.db, { id: 'exact', types });
  // On a loaded machine the first insert of a connection may take longer than a request may.
  await waitUntil(async () => (await post('{"type":"test.open","payload":1}')).statusCode === 202, {
    until: 'the API takes a job',
    timeoutMs: 40_000,
  });
});
afterAll(async () => await api[Symbol.asyncDispose]());

const ID = '3889108265204450030';
const OTHER = '3889108265204450031';

/** Sends the text as it is: an object would lose the digits before they are sent. */
const send = (method: 'GET' | 'POST', path: string, text?: string, headers: Record<string, string> = {}) =>
  api.send(method, path, {
    ...(text !== undefined && { body: text }),
    headers: { ...(text !== undefined && { 'content-type': 'application/json' }), ...headers },
  });
const post = (text: string, headers?: Record<string, string>) => send('POST', '/v1/jobs', text, headers);
const faultsOf = async (text: string) => {
  const reply = await post(text);
  expect(reply.statusCode).toBe(422);
  return reply.json().errors.map(({ pointer }: { pointer: string }) => pointer);
};

describe('a number that a double would change', () => {
  test('is read back as it was given, wherever it stood', async () => {
    const accepted = await post(
      `{"type":"test.open","payload":{"id":${ID},"at":[0.1000000000000000055]},"metadata":{"order":${OTHER}},` +
        `"webhook":{"url":"https://example.com/"}}`,
    );
    expect(accepted.statusCode).toBe(202);
    const { id } = accepted.json();
    const uuid = parsePublicId('job', id) ?? '';
    const payload = `"payload":{"id":${ID},"at":[0.1000000000000000055]}`;
    for (const { body } of [accepted, await send('GET', `/v1/jobs/${id}`)]) {
      expect(body).toContain(payload);
      expect(body).toContain(`"metadata":{"order":${OTHER}}`);
      expect(body).toContain(`"concurrencyKey":"test.open:${ID}"`);
    }
    expect((await send('GET', '/v1/jobs?limit=1')).body).toContain(`"metadata":{"order":${OTHER}}`);

    await dispatchOne(api.db, uuid);
    await sql`UPDATE in_flight SET progress = ${`{"at":${ID}}`}::json, worker_id = ${newUuid()}
      WHERE job_id = ${uuid}`.execute(api.db);
    expect((await send('GET', `/v1/jobs/${id}`)).body).toContain(`"progress":{"at":${ID}}`);
    await runJob(api.db, id, { kind: 'succeed', resultJson: `{"id":${ID}}` });
    expect((await send('GET', `/v1/jobs/${id}`)).body).toContain(`"result":{"id":${ID}}`);
    expect((await send('GET', `/v1/jobs/${id}/result`)).body).toBe(`{"id":${ID}}`);
    const deliveries = await send('GET', '/v1/jobs?type=webhook.deliver&limit=1');
    const delivery = await send('GET', `/v1/jobs/${deliveries.json().data[0].id}`);
    const sent = delivery.json().payload.body;
    expect(sent).toContain(`"result":{"id":${ID}}`);
    expect(sent).toContain(`"metadata":{"order":${OTHER}}`);
  });

  test('may be beyond the range of a double in progress and in a result', async () => {
    const id = await api.submit({ type: 'test.open', payload: 1 });
    const uuid = parsePublicId('job', id) ?? '';
    await dispatchOne(api.db, uuid);
    await sql`UPDATE in_flight SET attempt = 1, worker_id = ${newUuid()} WHERE job_id = ${uuid}`.execute(
      api.db,
    );
    await writeProgress(api.db, { id: uuid, attempt: 1 }, '{"at":1e400}');
    expect((await send('GET', `/v1/jobs/${id}`)).body).toContain('"progress":{"at":1e400}');
    await runJob(api.db, id, { kind: 'succeed', resultJson: '{"n":1e400,"tiny":1e-400}' });
    expect((await send('GET', `/v1/jobs/${id}/result`)).body).toBe('{"n":1e400,"tiny":1e-400}');
  });

  test('is kept in a dead letter and in the payload of its replay', async () => {
    const { id } = (await post(`{"type":"test.open","payload":{"id":${ID}}}`)).json();
    const letter = await dieAgain(api, id);
    expect((await send('GET', `/v1/dead-letters/${letter}`)).body).toContain(`"payload":{"id":${ID}}`);
    const replayed = await send('POST', `/v1/dead-letters/${letter}/replay`, `{"payload":{"id":${OTHER}}}`);
    expect(replayed.statusCode).toBe(202);
    expect(replayed.body).toContain(`"payload":{"id":${OTHER}}`);
    expect(replayed.json().concurrencyKey).toBe(`test.open:${OTHER}`);
    expect((await send('GET', `/v1/dead-letters/${letter}`)).body).toContain(`"payload":{"id":${ID}}`);
  });

  test('makes another request of another number, and the same of another spelling', async () => {
    const key = { 'idempotency-key': 'digits' };
    const first = await post(`{"type":"test.open","payload":{"id":${ID}}}`, key);
    const other = await post(`{"type":"test.open","payload":{"id":${OTHER}}}`, key);
    expect(other.json()).toMatchObject({ status: 422, code: 'idempotency_key_reused' });
    const text = await post(`{"type":"test.open","payload":{"id":"${ID}"}}`, key);
    expect(text.json()).toMatchObject({ status: 422, code: 'idempotency_key_reused' });
    const again = await post(`{"payload":{"id":${ID}.0},"type":"test.open"}`, key);
    expect(again.json()).toMatchObject({ id: first.json().id });
    expect(again.headers['idempotent-replayed']).toBe('true');
  });
});

describe('a number that the handler could only get as text', () => {
  test('is refused where the schema takes none, with its place', async () => {
    const reply = await post(`{"type":"test.echo","payload":{"count":${ID}}}`);
    expect(reply.statusCode).toBe(422);
    expect(reply.json().errors).toEqual([
      { pointer: '/payload/count', detail: expect.stringContaining(`${ID} has more digits than a double`) },
    ]);
    const letter = await dieAgain(api, await api.submit());
    const edit = await send('POST', `/v1/dead-letters/${letter}/replay`, `{"payload":{"count":${ID}}}`);
    expect(edit.json()).toMatchObject({ status: 422, errors: [{ pointer: '/payload/count' }] });
  });

  test('is accepted where the schema takes text', async () => {
    expect((await post(`{"type":"test.either","payload":{"id":${ID}}}`)).statusCode).toBe(202);
    expect(await faultsOf(`{"type":"test.either","payload":{"id":${ID}${ID}}}`)).toEqual(['/payload/id']);
  });

  test.each([
    [`{"type":"test.open","payload":1,"delayMs":1.00000000000000000001}`, '/delayMs'],
    [`{"type":"test.open","payload":1,"metadata":${ID}}`, '/metadata'],
    [`{"type":"test.open","payload":1,"tags":[${ID}]}`, '/tags/0'],
    [`{"type":"test.open","payload":1,"delayMs":1e400}`, '/delayMs'],
    [`{"type":"test.open","payload":1e400}`, '/payload'],
    [`{"type":"test.open","payload":[${ID},-1e400]}`, '/payload/1'],
    [`{"type":"test.open","payload":{"a":1e-400}}`, '/payload/a'],
    [`{"type":"test.open","payload":1,"metadata":{"a":0.${'3'.repeat(2_000)}}}`, '/metadata/a'],
  ])('%.60s is refused', async (text, pointer) => {
    expect(await faultsOf(text)).toEqual([pointer]);
  });
});

describe('a number that a double would change, where the API itself reads it', () => {
  const INEXACT = 'not a number with more digits than a double holds exactly.';

  test.each([
    [`"delayMs":${ID}`, '/delayMs', `It must be an integer, ${INEXACT}`],
    [`"delayMs":5.0000000000000000001`, '/delayMs', `It must be an integer, ${INEXACT}`],
    [`"concurrencyKey":${ID}`, '/concurrencyKey', `It must be a string, ${INEXACT}`],
    [`"tags":[${ID}]`, '/tags/0', `It must be a string, ${INEXACT}`],
    [`"retry":{"maxAttempts":${ID}}`, '/retry/maxAttempts', `It must be an integer, ${INEXACT}`],
    [`"webhook":${ID}`, '/webhook', `It must be an object, ${INEXACT}`],
    [`"delayMs":1e400`, '/delayMs', 'The number is too large for a double.'],
  ])('%s is told as what it is', async (field, pointer, detail) => {
    const reply = await post(`{"type":"test.open","payload":1,${field}}`);
    expect(reply.json().errors).toEqual([{ pointer, detail }]);
  });

  test('is told so to whoever reschedules, too', async () => {
    const id = await api.submit({ delayMs: 60_000 });
    const reschedule = async (delayMs: string) =>
      (await send('POST', `/v1/jobs/${id}/reschedule`, `{"delayMs":${delayMs}}`)).json().errors;
    expect(await reschedule(ID)).toEqual([
      { pointer: '/delayMs', detail: `It must be an integer, ${INEXACT}` },
    ]);
    expect(await reschedule('1e400')).toEqual([
      { pointer: '/delayMs', detail: 'The number is too large for a double.' },
    ]);
  });
});

describe('a payload of http.request that can never be sent', () => {
  test.each([
    [{ url: 'example.com' }, ['/payload/url']],
    [{ url: 'ftp://example.com/' }, ['/payload/url']],
    [{ url: 'http://user:secret@example.com/' }, ['/payload/url']],
    [{ url: 'http://example.com:70000/' }, ['/payload/url']],
    [{ url: 'http://example.com:0/' }, ['/payload/url']],
    [{ url: 'http:///' }, ['/payload/url']],
    [{ url: 'http://x..y/' }, ['/payload/url']],
    [{ url: `http://${'a'.repeat(64)}.example/` }, ['/payload/url']],
    [
      { url: 'file:///etc/passwd', headers: { Host: 'a', 'a/b': '' } },
      ['/payload/url', '/payload/headers/Host'],
    ],
    [{ url: 'http://a.example/', headers: { Expect: '100-continue' } }, ['/payload/headers/Expect']],
    [{ url: 'http://a.example/', headers: { A: '1', a: '2' } }, ['/payload/headers/a']],
    [
      { url: 'http://a.example/', sign: true, headers: { 'webhook-id': 'a' } },
      ['/payload/headers/webhook-id'],
    ],
  ])('%j is refused with its place', async (payload, pointers) => {
    expect(await faultsOf(JSON.stringify({ type: 'http.request', payload }))).toEqual(pointers);
  });

  test('is told from one that may work', async () => {
    const payload = { url: 'https://10.0.0.1:8443/a?b#c', headers: { 'webhook-id': 'a', Accept: 'b' } };
    expect((await post(JSON.stringify({ type: 'http.request', payload }))).statusCode).toBe(202);
  });
});
