import { newUuid, parsePublicId } from '@accepted/shared/core/job/id';
import { beat } from '@accepted/shared/ledger/workers/beat';
import { markSlow } from '@accepted/shared/ledger/workers/slow-workers';
import { dispatchOne } from '@accepted/testing/move-jobs';
import { waitUntil } from '@accepted/testing/wait-until';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ApiUnderTest, runJob, startApi } from './api-under-test.ts';
import { recordWorkerRate } from './worker-rate.ts';

let api: ApiUnderTest;
const ids: string[] = [];
beforeAll(async () => {
  api = await startApi();
  for (let index = 0; index < 5; index += 1)
    ids.unshift(await api.submit({ tags: [`n${index}`, 'all', 'a?b'] }));
  ids.unshift(await api.submit({ type: 'test.strict', delayMs: 60_000 }));
  await runJob(api.db, ids[5] ?? '', { kind: 'succeed', resultJson: '1' });
});
afterAll(async () => await api[Symbol.asyncDispose]());

const list = async (query: string) => await api.send('GET', `/v1/jobs${query}`);
const idsOf = async (query: string) => (await list(query)).json().data.map((job: { id: string }) => job.id);

describe('GET /v1/jobs', () => {
  test('the newest come first, without payload and result', async () => {
    const reply = await list('');
    expect(reply.json()).toMatchObject({ hasMore: false, nextCursor: null });
    expect(await idsOf('')).toEqual(ids);
    for (const job of reply.json().data) {
      expect(job).not.toHaveProperty('payload');
      expect(job).not.toHaveProperty('result');
    }
    expect(reply.headers.link).toBeUndefined();
  });

  test('pages join without a gap or an overlap, by cursor and by Link', async () => {
    const seen: string[] = [];
    let url: string | undefined = '/v1/jobs?limit=4&queue=default&tag=all';
    for (let pages = 0; url && pages < 5; pages += 1) {
      const reply = await api.send('GET', url);
      const page = reply.json();
      seen.push(...page.data.map((job: { id: string }) => job.id));
      expect(page.hasMore).toBe(page.nextCursor !== null);
      const link = /^<(.+)>; rel="next"$/.exec(String(reply.headers.link ?? ''))?.[1];
      if (page.hasMore) expect(link).toContain(encodeURIComponent(page.nextCursor));
      url = link;
    }
    expect(seen).toEqual(ids.slice(1));
  });

  test('a question mark in a filter stays one in the link to the next page', async () => {
    const reply = await list('?limit=1&tag=a?b');
    expect(reply.headers.link).toMatch(/; rel="next"$/);
    expect(String(reply.headers.link)).toContain('</v1/jobs?limit=1&tag=a%3Fb&cursor=');
  });

  test('a page holds as many as asked for, and the last one says so', async () => {
    const [four, all] = [await list('?limit=4'), await list('?limit=6')];
    expect([four.json().data.length, four.json().hasMore]).toEqual([4, true]);
    expect([all.json().data.length, all.json().hasMore, all.json().nextCursor]).toEqual([6, false, null]);
  });

  test('filters narrow the list', async () => {
    expect(await idsOf('?status=scheduled')).toEqual([ids[0]]);
    expect(await idsOf('?status=succeeded')).toEqual([ids[5]]);
    expect(await idsOf('?type=test.strict')).toEqual([ids[0]]);
    expect(await idsOf('?queue=strict')).toEqual([ids[0]]);
    expect(await idsOf('?tag=n3')).toEqual([ids[2]]);
    expect(await idsOf('?status=queued&type=test.strict')).toEqual([]);
    expect(await idsOf('?createdAfter=2999-01-01T00:00:00Z')).toEqual([]);
    expect(await idsOf('?createdBefore=2999-01-01T00:00:00Z')).toEqual(ids);
    expect(await idsOf('?createdBefore=2000-01-01T00:00:00Z')).toEqual([]);
    const third = (await api.send('GET', `/v1/jobs/${ids[2]}`)).json().createdAt;
    const after = new Date(Date.parse(third) - 1).toISOString();
    expect(await idsOf(`?createdAfter=${after}`)).toEqual(ids.slice(0, 3));
  });
});

test('jobs are found by the request that made them, whoever gave it its id, and by their concurrency key', async () => {
  await using own = await startApi();
  const submit = async (body: object, headers = {}) =>
    (
      await own.send('POST', '/v1/jobs', { body: { type: 'test.echo', payload: {}, ...body }, headers })
    ).json();
  const old = newUuid();
  const [plain, named, dated] = [
    await submit({ concurrencyKey: 'a' }),
    await submit({ concurrencyKey: 'b' }, { 'x-request-id': 'order-7' }),
    // Of a request that was repeated an hour later.
    await submit({}, { 'x-request-id': old }),
  ];
  await sql`UPDATE jobs SET id = overlay(id::text PLACING '0fffffff-ffff' FROM 1)::uuid WHERE request_id = ${old}`.execute(
    own.db,
  );
  await sql`UPDATE ready SET job_id = overlay(job_id::text PLACING '0fffffff-ffff' FROM 1)::uuid
    WHERE job_id = ${parsePublicId('job', dated.id)}`.execute(own.db);
  const found = async (query: string) =>
    (await own.send('GET', `/v1/jobs?${query}`))
      .json()
      .data.map(({ requestId }: { requestId: string }) => requestId);
  expect(await found(`requestId=${plain.requestId}`)).toEqual([plain.requestId]);
  expect(await found('requestId=order-7')).toEqual(['order-7']);
  expect(await found(`requestId=${old}`)).toEqual([old]);
  expect(await found('requestId=order-8')).toEqual([]);
  expect(await found(`requestId=${newUuid()}`)).toEqual([]);
  expect(await found(`concurrencyKey=${encodeURIComponent(named.concurrencyKey)}`)).toEqual(['order-7']);
});

test('a page has fewer than were asked for where they would be too many bytes, and none is left out', async () => {
  await using own = await startApi();
  const large = JSON.stringify('x'.repeat(16_000));
  const count = 100;
  const made: string[] = [];
  for (let index = 0; index < count; index += 1) made.unshift(await own.submit({ metadata: { large } }));
  for (const id of made) await dispatchOne(own.db, parsePublicId('job', id) ?? '');
  await sql`UPDATE in_flight SET progress = ${large}::json, worker_id = gen_random_uuid()`.execute(own.db);

  const seen: string[] = [];
  const sizes: number[] = [];
  for (let cursor = ''; sizes.length < count; ) {
    const reply = await own.send('GET', `/v1/jobs?limit=${count}${cursor}`);
    const { data, hasMore, nextCursor } = reply.json();
    expect(reply.body.length).toBeLessThan(2.1 * 2 ** 20);
    expect(String(reply.headers.link ?? '').includes('rel="next"')).toBe(hasMore);
    seen.push(...data.map((job: { id: string }) => job.id));
    sizes.push(data.length);
    if (!hasMore) break;
    cursor = `&cursor=${nextCursor}`;
  }
  expect(seen).toEqual(made);
  expect(sizes).toHaveLength(2);
});

test.each(['0000-01-01T00:00:00%2B23:59', '9999-12-31T23:59:59.999999999-23:59', '2026-01-01t00:00:00z'])(
  'every list can be filtered by the time %s',
  async (time) => {
    for (const route of ['/v1/jobs', '/v1/dead-letters', '/v1/dead-letters/groups']) {
      const reply = await api.send('GET', `${route}?createdAfter=${time}&createdBefore=${time}`);
      expect([route, reply.statusCode, reply.json().data]).toEqual([route, 200, []]);
    }
  },
);

describe('parameters of GET /v1/jobs that are refused', () => {
  test.each([
    ['?limit=0', '/query/limit'],
    ['?limit=101', '/query/limit'],
    ['?limit=ten', '/query/limit'],
    ['?limit=1&limit=2', '/query/limit'],
    ['?status=done', '/query/status'],
    ['?createdAfter=yesterday', '/query/createdAfter'],
    ['?createdAfter=2026-02-30T00:00:00Z', '/query/createdAfter'],
    ['?createdAfter=2016-12-31T23:59:60Z', '/query/createdAfter'],
    ['?createdAfter=2026-01-01T00:00:00+01:00', '/query/createdAfter'],
    ['?createdBefore=2026-01-01T00:00:00%2B0100', '/query/createdBefore'],
    ['?createdBefore=%2B010000-01-01T00:00:00Z', '/query/createdBefore'],
    ['?nonsense=1', '/query/nonsense'],
    ['?tag=%00', '/query/tag'],
  ])('%s is 400', async (query, pointer) => {
    const reply = await list(query);
    expect(reply.statusCode).toBe(400);
    expect(reply.json()).toMatchObject({ code: 'invalid_parameter', errors: [{ pointer }] });
  });

  test('all faults of a query are told at once', async () => {
    const pointers = (await list('?limit=0&status=done&x=1'))
      .json()
      .errors.map((fault: { pointer: string }) => fault.pointer);
    expect(new Set(pointers)).toEqual(new Set(['/query/limit', '/query/status', '/query/x']));
  });

  test.each(['x', 'A', 'AAAAAAAAAAAAAAAAAAAAAAAA', '..', "' OR 1=1"])(
    'the cursor %s is 400',
    async (cursor) => {
      const reply = await list(`?cursor=${encodeURIComponent(cursor)}`);
      expect(reply.statusCode).toBe(400);
      expect(reply.json()).toMatchObject({ code: 'invalid_cursor', errors: [{ pointer: '/query/cursor' }] });
    },
  );
});

describe('catalog and queues', () => {
  test('GET /v1/job-types gives the schemas and defaults', async () => {
    const { data } = (await api.send('GET', '/v1/job-types')).json();
    expect(data.map((type: { type: string }) => type.type)).toEqual([
      'test.echo',
      'test.strict',
      'webhook.deliver',
    ]);
    expect(data[0]).toMatchObject({
      queue: 'default',
      payloadSchema: { type: 'object' },
      resultSchema: { type: 'object' },
      defaults: { maxAttempts: 3, timeoutMs: 10_000, concurrency: { limit: 5, keyPointer: '/account' } },
    });
  });

  test('GET /v1/queues measures depth, the longest wait, rates and workers', async () => {
    await recordWorkerRate(api.db, 'default', 12.5);
    const { data } = (await api.send('GET', '/v1/queues')).json();
    expect(data.map((queue: { name: string }) => queue.name)).toEqual(['default', 'strict', 'webhooks']);
    expect(data[0]).toMatchObject({
      depth: { queued: 4, scheduled: 0, retrying: 0, running: 0 },
      finishedPerSecond: 12.5,
      workers: { count: 2, concurrency: 20, slow: 0 },
    });
    expect(data[0].oldestWaitMs).toBeGreaterThan(0);
    expect(data[1]).toMatchObject({
      depth: { queued: 0, scheduled: 1 },
      oldestWaitMs: null,
      workers: { count: 0 },
    });
  });

  test('workers that take no jobs as they are far slower than others are told apart', async () => {
    const worker = await api.db.selectFrom('workers').select('id').executeTakeFirstOrThrow();
    for (const { id } of await api.db.selectFrom('workers').select('id').execute())
      await beat(api.db, id, { heartbeatMs: 60_000, finishedPerSecond: {}, engineUp: true });
    expect(await markSlow(api.db, worker.id, 60_000)).toBe(true);
    const workersOf = async () => (await api.send('GET', '/v1/queues/default')).json().workers;
    const { count, concurrency } = await waitUntil(
      async () => {
        const workers = await workersOf();
        return workers.slow === 1 ? workers : undefined;
      },
      { until: 'one of them is slow' },
    );
    expect([count, concurrency]).toEqual([1, 10]);
    const { body } = await api.send('GET', '/metrics');
    expect(body).toContain('accepted_queue_slow_workers{queue="default"} 1');
    expect(body).toContain('accepted_queue_slow_workers{queue="strict"} 0');
  });

  test('GET /v1/queues/{name} gives one, and 404 for another', async () => {
    expect((await api.send('GET', '/v1/queues/strict')).json()).toMatchObject({ name: 'strict' });
    const reply = await api.send('GET', '/v1/queues/nonsense');
    expect([reply.statusCode, reply.json().code]).toEqual([404, 'queue_not_found']);
  });
});
