import { parsePublicId } from '@accepted/shared/core/job/id';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ApiUnderTest, createOtherTenant, runJob, startApi } from './api-under-test.ts';
import { die, dieAgain, keyWith } from './dead-letters-under-test.ts';

let api: ApiUnderTest;
beforeAll(async () => {
  api = await startApi();
});
afterAll(async () => await api[Symbol.asyncDispose]());

const list = async (query: string) => await api.send('GET', `/v1/dead-letters${query}`);
const idsOf = async (query: string) => (await list(query)).json().data.map(({ id }: { id: string }) => id);
const get = async (id: string) => (await api.send('GET', `/v1/dead-letters/${id}`)).json();
const replay = async (id: string, body?: unknown) =>
  await api.send('POST', `/v1/dead-letters/${id}/replay`, { body });
const auditsOf = async (id: string) => (await api.send('GET', `/v1/audit-log?target=${id}`)).json().data;

describe('GET /v1/dead-letters', () => {
  test('lists the open ones, newest first, page by page, without stacks', async () => {
    const first = await die(api, { queue: 'strict' });
    const second = await die(api, { queue: 'strict' });
    const third = await die(api, { queue: 'strict' });
    await replay(second.id);

    expect(await idsOf('?queue=strict')).toEqual([third.id, first.id]);
    expect(await idsOf('?queue=strict&resolution=replayed')).toEqual([second.id]);
    const page = (await list('?queue=strict&limit=1')).json();
    expect(page).toMatchObject({ hasMore: true, data: [{ id: third.id, jobId: third.jobId }] });
    expect(await idsOf(`?queue=strict&limit=1&cursor=${page.nextCursor}`)).toEqual([first.id]);
    expect(page.data[0].error).toEqual({ code: 'x', message: 'the roof is on fire', retryable: false });
  });

  test('filters narrow the list', async () => {
    const { id } = await die(api, {}, { code: 'filtered' });
    const { fingerprint, createdAt } = await get(id);
    const before = new Date(Date.parse(createdAt) - 1).toISOString();

    expect(await idsOf(`?fingerprint=${fingerprint}`)).toEqual([id]);
    expect(await idsOf(`?fingerprint=${fingerprint}&type=test.echo&reason=permanent_error`)).toEqual([id]);
    expect(await idsOf(`?fingerprint=${fingerprint}&createdAfter=${before}`)).toEqual([id]);
    for (const other of ['type=test.strict', 'reason=poison', 'queue=strict', 'resolution=discarded'])
      expect(await idsOf(`?fingerprint=${fingerprint}&${other}`)).toEqual([]);
    expect(await idsOf(`?fingerprint=${fingerprint}&createdBefore=${before}`)).toEqual([]);
  });

  test.each([
    ['resolution=done', '/query/resolution'],
    ['createdAfter=2016-12-31T23:59:60Z', '/query/createdAfter'],
    ['nonsense=1', '/query/nonsense'],
  ])('?%s is 400', async (query, pointer) => {
    const reply = await list(`?${query}`);
    expect([reply.statusCode, reply.json().errors[0].pointer]).toEqual([400, pointer]);
  });

  test('another tenant sees none of them, nor their groups', async () => {
    await die(api);
    const key = await createOtherTenant(api.db);
    for (const path of ['', '/groups']) {
      const reply = await api.send('GET', `/v1/dead-letters${path}`, { key });
      expect([reply.statusCode, reply.json().data]).toEqual([200, []]);
    }
  });

  test('a key without the scope is 403', async () => {
    const key = await keyWith(api, ['jobs:read', 'jobs:write']);
    expect((await api.send('GET', '/v1/dead-letters', { key })).statusCode).toBe(403);
  });
});

describe('GET /v1/dead-letters/{id}', () => {
  test('has everything that helps to find the cause', async () => {
    const traceparent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
    const body = { type: 'test.echo', payload: { count: 1 }, tags: ['t'], metadata: { m: 1 } };
    const headers = { traceparent, 'x-request-id': 'req-7' };
    const job = (await api.send('POST', '/v1/jobs', { body, headers })).json();
    const id = await dieAgain(api, job.id);

    expect(await get(id)).toMatchObject({
      id,
      jobId: job.id,
      queue: 'default',
      type: 'test.echo',
      reason: 'permanent_error',
      error: { message: 'the roof is on fire', stack: expect.stringContaining('at run') },
      payload: { count: 1 },
      tags: ['t'],
      metadata: { m: 1 },
      attempts: [{ attempt: 1, outcome: 'failed', error: { stack: expect.stringContaining('at run') } }],
      requestId: job.requestId,
      traceId: 'a'.repeat(32),
      workerId: expect.stringMatching(/^wrk_/),
      jobStatus: 'failed',
      resolution: null,
      replays: [],
    });
  });

  test.each(['dlq_01jvtg3n7be4a9z0q8y5w2m6kd', 'job_01jvtg3n7be4a9z0q8y5w2m6kd', 'nope'])(
    '%s is 404',
    async (id) => {
      const replies = await Promise.all([
        api.send('GET', `/v1/dead-letters/${id}`),
        api.send('POST', `/v1/dead-letters/${id}/replay`),
        api.send('POST', `/v1/dead-letters/${id}/replay`, { body: { payload: {} } }),
        api.send('DELETE', `/v1/dead-letters/${id}`),
      ]);
      for (const reply of replies)
        expect([reply.statusCode, reply.json().code]).toEqual([404, 'dead_letter_not_found']);
    },
  );
});

describe('GET /v1/dead-letters/groups', () => {
  test('groups alike errors, the newest group first, page by page', async () => {
    const first = await die(api, { type: 'test.strict' }, { message: 'order 1 is gone' });
    const second = await die(api, { type: 'test.strict' }, { message: 'order 2 is gone' });
    const other = await die(api, { type: 'test.strict' }, { message: 'no route' });
    const groups = async (query: string) =>
      (await api.send('GET', `/v1/dead-letters/groups?type=test.strict${query}`)).json();

    const { data } = await groups('');
    expect(data).toMatchObject([
      { count: 1, newest: { id: other.id, error: { message: 'no route' } } },
      { count: 2, newest: { id: second.id, type: 'test.strict', queue: 'strict' } },
    ]);
    expect(data[1].oldestAt < data[1].newestAt).toBe(true);
    expect(data[1].fingerprint).toBe((await get(first.id)).fingerprint);
    const page = await groups('&limit=1');
    expect(page.hasMore).toBe(true);
    expect((await groups(`&limit=1&cursor=${page.nextCursor}`)).data).toEqual([data[1]]);
  });
});

describe('POST /v1/dead-letters/{id}/replay', () => {
  test('puts the same job back, once, and says who and why', async () => {
    const { jobId, id } = await die(api);
    const reply = await replay(id, { reason: 'the disk has room again' });

    expect(reply.statusCode).toBe(202);
    expect(reply.headers.location).toBe(`/v1/jobs/${jobId}`);
    expect(reply.json()).toMatchObject({ id: jobId, status: 'queued', attemptsMade: 0, deadLetterId: null });
    expect(await auditsOf(id)).toMatchObject([
      {
        action: 'dead_letter.replay',
        actor: expect.stringMatching(/^key_/),
        reason: 'the disk has room again',
        detail: { jobId },
      },
    ]);
    const again = await replay(id);
    expect([again.statusCode, again.json()]).toMatchObject([
      409,
      { code: 'dead_letter_already_resolved', resolution: 'replayed' },
    ]);
    expect(await auditsOf(id)).toHaveLength(1);
  });

  test('needs no body, and of many at once one succeeds', async () => {
    const { id } = await die(api);
    const replies = await Promise.all(Array.from({ length: 8 }, () => replay(id)));

    expect(replies.map(({ statusCode }) => statusCode).sort()).toEqual([202, ...Array(7).fill(409)]);
  });

  test('takes another payload and keeps the old one', async () => {
    const { jobId, id } = await die(api, { payload: { count: 1, account: 'a' } });
    const reply = await replay(id, { payload: { count: 2, account: 'b' } });
    expect(reply.json()).toMatchObject({
      payload: { count: 2, account: 'b' },
      concurrencyKey: 'test.echo:b',
    });

    const second = await dieAgain(api, jobId);
    await replay(second, { payload: { count: 3 } });
    const third = await dieAgain(api, jobId);

    expect((await get(id)).payload).toEqual({ count: 1, account: 'a' });
    expect((await get(second)).payload).toEqual({ count: 2, account: 'b' });
    const last = await get(third);
    expect(last.payload).toEqual({ count: 3 });
    expect(last.attempts.map(({ replayRound }: { replayRound: number }) => replayRound)).toEqual([0, 1, 2]);
    expect(last.replays).toMatchObject([
      { deadLetterId: id, payloadEdited: true, replayedBy: expect.stringMatching(/^key_/) },
      { deadLetterId: second, payloadEdited: true },
    ]);
    const { actor } = await api.db
      .selectFrom('payload_revisions')
      .select('actor')
      .where('dead_letter_id', '=', parsePublicId('deadLetter', id) ?? '')
      .executeTakeFirstOrThrow();
    expect(actor).toMatch(/^key_/);
  });

  test("leaves a concurrency key of the tenant's own as it is", async () => {
    const { id } = await die(api, { payload: { count: 1 }, concurrencyKey: 'mine' });
    expect((await replay(id, { payload: { count: 2 } })).json().concurrencyKey).toBe('mine');
  });

  test.each([
    [{ payload: { count: 'many' } }, '/payload/count'],
    [{ payload: 'text' }, '/payload'],
    [{ payload: {}, nonsense: 1 }, '/nonsense'],
    [{ reason: '' }, '/reason'],
    [{ payload: { account: '\u0000' } }, '/payload/account'],
    [[], ''],
  ])('the body %j is 422, and nothing changes', async (body, pointer) => {
    const { id } = await die(api);
    const reply = await replay(id, body);

    expect([reply.statusCode, reply.json().errors[0].pointer]).toEqual([422, pointer]);
    expect((await get(id)).resolution).toBeNull();
  });

  test('what a webhook delivery sends cannot be changed', async () => {
    const { jobId, id } = await die(api);
    await api.db
      .updateTable('dead_letters')
      .set({ type: 'webhook.deliver' })
      .where('job_id', '=', parsePublicId('job', jobId) ?? '')
      .execute();

    expect((await replay(id, { payload: { url: 'https://x.test' } })).statusCode).toBe(422);
    expect((await replay(id)).statusCode).toBe(202);
  });

  test('a dead letter whose job is gone is 409', async () => {
    const { jobId, id } = await die(api);
    await api.db
      .deleteFrom('jobs')
      .where('id', '=', parsePublicId('job', jobId) ?? '')
      .execute();

    const reply = await replay(id);
    expect([reply.statusCode, reply.json().code]).toEqual([409, 'dead_letter_without_job']);
    expect(await get(id)).toMatchObject({ resolution: null, jobStatus: null, payload: null });
  });
});

describe('DELETE /v1/dead-letters/{id}', () => {
  test('discards it for good; the job stays failed', async () => {
    const { jobId, id } = await die(api);
    const reply = await api.send('DELETE', `/v1/dead-letters/${id}?reason=a%20test%20order`);

    expect([reply.statusCode, reply.body]).toEqual([204, '']);
    expect((await api.send('GET', `/v1/jobs/${jobId}`)).json().status).toBe('failed');
    expect(await get(id)).toMatchObject({ resolution: 'discarded', resolvedReason: 'a test order' });
    expect(await auditsOf(id)).toMatchObject([{ action: 'dead_letter.discard', reason: 'a test order' }]);
    const again = await api.send('DELETE', `/v1/dead-letters/${id}`);
    expect([again.statusCode, again.json().resolution]).toEqual([409, 'discarded']);
    expect((await replay(id)).statusCode).toBe(409);
  });
});

test('a job that succeeds after its replay keeps its resolved dead letter', async () => {
  const { jobId, id } = await die(api);
  await replay(id);
  await runJob(api.db, jobId, { kind: 'succeed', resultJson: '1' });

  expect(await get(id)).toMatchObject({ resolution: 'replayed', jobStatus: 'succeeded' });
});
