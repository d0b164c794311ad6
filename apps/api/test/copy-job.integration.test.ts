import { parsePublicId } from '@accepted/shared/core/job/id';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ApiUnderTest, countJobs, createOtherTenant, runJob, startApi } from './api-under-test.ts';

let api: ApiUnderTest;
beforeAll(async () => {
  api = await startApi({ MAX_WAIT_SECONDS: '2' });
  // As the process does before it listens: compiling the schemas takes long on a busy machine.
  await api.app.ready();
  await api.app.catalog.read();
});
afterAll(async () => await api[Symbol.asyncDispose]());

const copy = (id: string, body?: object, headers: Record<string, string> = {}) =>
  api.send('POST', `/v1/jobs/${id}/copy`, { ...(body && { body }), headers });
const get = async (id: string) => (await api.send('GET', `/v1/jobs/${id}`)).json();

const FULL = {
  type: 'test.echo',
  payload: { account: 'a7', count: 1 },
  queue: 'strict',
  priority: 'high',
  timeoutMs: 5_000,
  retry: { maxAttempts: 9, backoff: { type: 'fixed', delayMs: 50, jitter: 'none' } },
  tags: ['a', 'b'],
  metadata: { order: 7 },
  webhook: { url: 'https://example.com/hook', events: ['job.failed'] },
} as const;

describe('POST /v1/jobs/{id}/copy', () => {
  test('makes a new job with all that the first was given, but its times', async () => {
    const id = await api.submit({ ...FULL, delayMs: 60_000, ttlMs: 120_000 });
    const reply = await copy(id);
    const made = reply.json();
    expect(reply.statusCode).toBe(202);
    expect(reply.headers).toMatchObject({ location: `/v1/jobs/${made.id}`, etag: '"v1"' });
    expect(reply.headers['retry-after']).toBeDefined();
    expect(made.id).not.toBe(id);

    const source = await get(id);
    const { retry: _retry, ...asked } = FULL;
    expect(made).toMatchObject({
      ...asked,
      webhook: { ...FULL.webhook, deliveries: [] },
      maxAttempts: 9,
      status: 'queued',
      expiresAt: null,
      copyOf: id,
      concurrencyKey: 'test.echo:a7',
    });
    expect(await get(id)).toEqual(source);
    const columns = ['backoff', 'concurrency_limit', 'tenant_id', 'replay_round'] as const;
    const rows = await api.db
      .selectFrom('current_jobs')
      .select(columns)
      .where(
        'id',
        'in',
        [id, made.id].map((one) => parsePublicId('job', one) ?? ''),
      )
      .execute();
    expect(rows[0]).toEqual(rows[1]);
  });

  test('takes over what the body says otherwise, and only that', async () => {
    const id = await api.submit(FULL);
    const changes = {
      payload: { account: 'b8' },
      queue: 'default',
      priority: 'low',
      delayMs: 60_000,
      ttlMs: 120_000,
      timeoutMs: 1_000,
      retry: { maxAttempts: 2 },
      tags: [],
      metadata: {},
      webhook: { url: 'https://other.example/' },
    };
    const made = (await copy(id, changes)).json();
    const { delayMs: _delayMs, ttlMs: _ttlMs, retry: _retry, webhook: _webhook, ...kept } = changes;
    expect(made).toMatchObject({
      ...kept,
      status: 'scheduled',
      maxAttempts: 2,
      copyOf: id,
      type: 'test.echo',
    });
    expect(made.webhook.url).toBe('https://other.example/');
    expect(made.webhook.events).toHaveLength(4);
    expect(made.expiresAt).not.toBeNull();
    // The key that the type makes from the payload is that of the new one; a key of the client's own is copied.
    expect(made.concurrencyKey).toBe('test.echo:b8');
    const keyed = await api.submit({ ...FULL, payload: {}, concurrencyKey: 'mine' });
    expect((await copy(keyed, { payload: {} })).json().concurrencyKey).toBe('mine');
    const row = api.db
      .selectFrom('current_jobs')
      .select('backoff')
      .where('id', '=', parsePublicId('job', made.id) ?? '');
    expect((await row.executeTakeFirstOrThrow()).backoff).toEqual(FULL.retry.backoff);
  });

  test('copies a job whatever became of it', async () => {
    const error = { code: 'x', message: 'y', retryable: false };
    const ends = [
      (id: string) => runJob(api.db, id),
      (id: string) => runJob(api.db, id, { kind: 'succeed', resultJson: '{"done":1}' }),
      (id: string) => runJob(api.db, id, { kind: 'deadLetter', reason: 'permanent_error', error }),
      (id: string) => runJob(api.db, id, { kind: 'retry', delayMs: 60_000, error }),
      (id: string) => api.send('POST', `/v1/jobs/${id}/cancel`),
    ];
    for (const end of ends) {
      const id = await api.submit({ tags: ['kept'] });
      await end(id);
      const fresh = {
        status: 'queued',
        attempt: 0,
        attemptsMade: 0,
        result: null,
        error: null,
        deadLetterId: null,
      };
      expect((await copy(id)).json()).toMatchObject({ ...fresh, copyOf: id, tags: ['kept'] });
    }
  });

  test('keeps each digit of a payload that it does not change', async () => {
    const id = await api.submit();
    const text = '{ "id": 3889108265204450030, "spaced" : 1.0 }';
    await sql`UPDATE jobs SET payload = ${text}::json WHERE id = ${parsePublicId('job', id)}`.execute(api.db);
    const { id: made } = (await copy(id, { tags: ['a'] })).json();
    const { rows } = await sql<{ payload: string }>`
      SELECT payload::text AS payload FROM jobs WHERE id = ${parsePublicId('job', made)}`.execute(api.db);
    expect(rows).toEqual([{ payload: text }]);
  });

  test('with one key, takes two spellings of a number for the same', async () => {
    const id = await api.submit();
    const headers = { 'idempotency-key': 'spelled', 'content-type': 'application/json' };
    const send = (number: string) =>
      api.app.inject({
        method: 'POST',
        url: `/v1/jobs/${id}/copy`,
        headers: { ...headers, authorization: `Bearer ${api.key}` },
        payload: `{"metadata":{"n":${number}}}`,
      });
    const [first, again] = [await send('3889108265204450030'), await send('38891082652044500300e-1')];
    expect([again.statusCode, again.json().id]).toEqual([202, first.json().id]);
  });

  test('makes one job of any number of requests with one key, and one of another job is refused', async () => {
    const [id, other] = [await api.submit(), await api.submit()];
    const headers = { 'idempotency-key': 'copy-1' };
    const before = await countJobs(api.db);
    const replies = await Promise.all(Array.from({ length: 5 }, () => copy(id, {}, headers)));
    expect(new Set(replies.map((reply) => reply.json().id)).size).toBe(1);
    expect(replies.map((reply) => reply.statusCode)).toEqual([202, 202, 202, 202, 202]);
    expect(replies.filter((reply) => reply.headers['idempotent-replayed'] === 'true')).toHaveLength(4);
    expect((await copy(id, undefined, headers)).headers['idempotent-replayed']).toBe('true');
    for (const [source, body] of [
      [id, { tags: ['x'] }],
      [other, {}],
    ] as const)
      expect((await copy(source, body, headers)).json()).toMatchObject({
        status: 422,
        code: 'idempotency_key_reused',
      });
    expect(await countJobs(api.db)).toBe(before + 1);
    // The same key on the other route is another key.
    const submitted = await api.send('POST', '/v1/jobs', {
      body: { type: 'test.echo', payload: {} },
      headers,
    });
    expect([submitted.statusCode, submitted.headers['idempotent-replayed']]).toEqual([202, undefined]);
  });

  test('waits for the copy when it is asked to', async () => {
    const id = await api.submit({ tags: ['waited'] });
    const reply = await copy(id, {}, { prefer: 'wait=1' });
    expect([reply.statusCode, reply.headers['preference-applied']]).toEqual([202, 'wait=1']);
  });

  test.each([
    [{ type: 'test.strict' }, ['/type']],
    [{ payload: { count: 'many' } }, ['/payload/count']],
    [
      { payload: { count: 'many' }, queue: 'nope', runAt: 'soon', extra: 1 },
      ['/extra', '/payload/count', '/queue', '/runAt'],
    ],
    [{ runAt: '9999-12-31T23:59:59-23:59' }, ['/runAt']],
    [{ metadata: { text: 'x'.repeat(17_000) } }, ['/metadata']],
    [{ retry: 'often', webhook: 7 }, ['/retry', '/webhook']],
    [[], ['']],
    ['text', ['']],
  ])('%j is 422, with all faults, and makes nothing', async (body, pointers) => {
    const id = await api.submit();
    const before = await countJobs(api.db);
    const headers = { 'content-type': 'application/json' };
    const reply = await api.send('POST', `/v1/jobs/${id}/copy`, { body: JSON.stringify(body), headers });
    expect([reply.statusCode, reply.json().code]).toEqual([422, 'validation_failed']);
    expect(
      reply
        .json()
        .errors.map((fault: { pointer: string }) => fault.pointer)
        .sort(),
    ).toEqual(pointers);
    expect(await countJobs(api.db)).toBe(before);
  });

  test('checks the payload against the schema that the type has now', async () => {
    const id = await api.submit();
    await sql`UPDATE jobs SET payload = '{"count":"many"}' WHERE id = ${parsePublicId('job', id)}`.execute(
      api.db,
    );
    expect((await copy(id)).json()).toMatchObject({ status: 422, errors: [{ pointer: '/payload/count' }] });
    expect((await copy(id, { payload: { count: 1 } })).statusCode).toBe(202);
  });

  test('never copies a webhook delivery, which the platform signs', async () => {
    const id = await api.submit({ webhook: FULL.webhook });
    const error = { code: 'x', message: 'y', retryable: false };
    await runJob(api.db, id, { kind: 'deadLetter', reason: 'permanent_error', error });
    const [delivery] = (await get(id)).webhook.deliveries;
    expect((await copy(delivery.id, { payload: {} })).json()).toMatchObject({
      status: 422,
      errors: [{ pointer: '' }],
    });
  });

  test("another tenant's job, and one that is gone, are 404", async () => {
    const id = await api.submit();
    const key = await createOtherTenant(api.db);
    const reply = await api.send('POST', `/v1/jobs/${id}/copy`, { body: {}, key });
    expect(reply.json()).toMatchObject({ status: 404, code: 'job_not_found' });
    await sql`DELETE FROM jobs WHERE id = ${parsePublicId('job', id)}`.execute(api.db);
    expect((await copy(id)).json()).toMatchObject({ status: 404, code: 'job_not_found' });
  });
});
