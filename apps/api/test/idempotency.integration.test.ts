import { newUuid, parsePublicId } from '@accepted/shared/core/job/id';
import { finishJobs, makeReady } from '@accepted/testing/move-jobs';
import { waitUntil } from '@accepted/testing/wait-until';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ApiUnderTest, runJob, type SendOptions, startApi } from './api-under-test.ts';
import { die, keyWith } from './dead-letters-under-test.ts';

let api: ApiUnderTest;
beforeAll(async () => {
  api = await startApi();
  await api.app.ready();
});
afterAll(async () => await api[Symbol.asyncDispose]());

/** A request without its key. */
interface Asked {
  url: string;
  body?: object;
}

/** Makes, for each operation, a request that does something, and another one that does something else. */
const REQUESTS: Record<string, () => Promise<[asked: Asked, other: Asked]>> = {
  submitJob: async () => twoBodies('/v1/jobs', { type: 'test.echo', payload: {} }, { priority: 'low' }),
  copyJob: async () => twoBodies(`/v1/jobs/${await api.submit()}/copy`, {}, { priority: 'low' }),
  cancelJob: () => twoUrls(async () => `/v1/jobs/${await api.submit()}/cancel`),
  rescheduleJob: async () =>
    twoBodies(`/v1/jobs/${await api.submit()}/reschedule`, { delayMs: 60_000 }, { delayMs: 61_000 }),
  replayDeadLetter: async () =>
    twoBodies(`/v1/dead-letters/${(await die(api)).id}/replay`, { payload: { count: 1 } }, { reason: 'x' }),
  discardDeadLetters: async () => twoBodies('/v1/dead-letters/discard', await oneLetter(), { reason: 'x' }),
  createBulkReplay: async () => twoBodies('/v1/dead-letters/replay', await oneLetter(), { dryRun: true }),
  cancelBulkReplay: () =>
    twoUrls(async () => {
      const { body } = await send({ url: '/v1/dead-letters/replay', body: await oneLetter() });
      return `/v1/bulk-replays/${JSON.parse(body).id}/cancel`;
    }),
  createApiKey: async () =>
    twoBodies('/v1/api-keys', { name: 'once', scopes: ['jobs:read'] }, { name: 'twice' }),
  createTenant: async () => twoBodies('/v1/tenants', { name: `once ${newUuid()}` }, { weight: 2 }),
  ...pausing('Queue', async () => '/v1/queues/strict'),
  ...pausing('JobType', async () => '/v1/job-types/test.strict'),
  ...pausing('Tenant', async () => {
    const { body } = await send({ url: '/v1/tenants', body: { name: newUuid() } });
    return `/v1/tenants/${JSON.parse(body).id}`;
  }),
};

/** What is not paused yet is paused, and what is paused goes on. */
function pausing(name: string, makeUrl: () => Promise<string>): typeof REQUESTS {
  const asked = async (verb: string, before: string) => {
    const url = await makeUrl();
    await send({ url: `${url}/${before}` });
    return twoBodies(`${url}/${verb}`, {}, { reason: 'another' });
  };
  return {
    [`pause${name}`]: () => asked('pause', 'resume'),
    [`resume${name}`]: () => asked('resume', 'pause'),
  };
}

function twoBodies(url: string, body: object, more: object): [Asked, Asked] {
  return [
    { url, body },
    { url, body: { ...body, ...more } },
  ];
}

async function twoUrls(makeUrl: () => Promise<string>): Promise<[Asked, Asked]> {
  return [{ url: await makeUrl() }, { url: await makeUrl() }];
}

async function oneLetter(): Promise<{ ids: string[] }> {
  return { ids: [(await die(api)).id] };
}

const send = ({ url, body }: Asked, key?: string, options: SendOptions = {}) =>
  api.send('POST', url, {
    ...(body && { body }),
    ...options,
    headers: { ...options.headers, ...(key && { 'idempotency-key': key }) },
  });

/** Hashes what the ledger has of everything that a request could do. */
async function ledgerNow(): Promise<unknown> {
  const tables = [
    'jobs',
    'dead_letters',
    'payload_revisions',
    'ready',
    'due',
    'attempts',
    'bulk_replays',
    'bulk_replay_items',
    'api_keys',
    'tenants',
    'job_type_rules',
    'queues',
  ];
  const hashes = [...tables, 'audit_log'].map((table) =>
    sql`SELECT ${table} AS name, md5(string_agg(t::text, ' ' ORDER BY t::text)) FROM ${sql.table(table)} t`.execute(
      api.db,
    ),
  );
  return (await Promise.all(hashes)).map(({ rows }) => rows);
}

async function keptAnswers(): Promise<string> {
  const { rows } = await sql<{ text: string }>`SELECT k::text AS text FROM idempotency_keys k`.execute(
    api.db,
  );
  return rows.map(({ text }) => text).join('\n');
}

/** Has a statement on a table fail until the end of the test. */
async function failing(event: string): Promise<AsyncDisposable> {
  await sql`CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS
    'BEGIN RAISE EXCEPTION ''out of order''; END'`.execute(api.db);
  await sql`CREATE TRIGGER fail BEFORE ${sql.raw(event)} FOR EACH ROW EXECUTE FUNCTION fail()`.execute(
    api.db,
  );
  return { [Symbol.asyncDispose]: async () => void (await sql`DROP FUNCTION fail CASCADE`.execute(api.db)) };
}

interface Operation {
  operationId: string;
  parameters: { name: string }[];
  responses: Record<string, { description: string; headers?: object }>;
}

function posts(): Operation[] {
  const methods = Object.values(api.app.apiDocument().paths);
  return methods.flatMap(({ post }) => (post ? [post as unknown as Operation] : []));
}

test('every POST of the document takes an Idempotency-Key, and says what it answers to it', () => {
  expect(posts().map(({ operationId }) => operationId)).toEqual(
    expect.arrayContaining(Object.keys(REQUESTS)),
  );
  for (const { operationId, parameters, responses } of posts()) {
    expect(REQUESTS, `say in REQUESTS how ${operationId} is asked`).toHaveProperty(operationId);
    expect(parameters, operationId).toContainEqual(expect.objectContaining({ name: 'Idempotency-Key' }));
    expect(responses['422']?.description, operationId).toContain('idempotency_key_reused');
    const good = Object.entries(responses).filter(([status]) => status.startsWith('2'));
    for (const [, { headers }] of good) expect(headers, operationId).toHaveProperty('Idempotent-Replayed');
  }
});

describe.each(Object.keys(REQUESTS))('%s', (operationId) => {
  const make = () => REQUESTS[operationId]?.() ?? Promise.reject(new Error(operationId));

  test('that is sent again with its key is answered as before, and does nothing', async () => {
    const [asked, other] = await make();
    const first = await send(asked, operationId);
    expect([first.statusCode, first.headers['idempotent-replayed']]).toEqual([
      expect.toSatisfy((status) => status < 300),
      undefined,
    ]);
    const after = await ledgerNow();
    const again = await send(asked, `"${operationId}"`);
    expect([again.statusCode, again.headers['idempotent-replayed']]).toEqual([first.statusCode, 'true']);
    expect(again.json()).toEqual(first.json());
    for (const name of ['location', 'cache-control', 'etag'])
      expect([name, again.headers[name]]).toEqual([name, first.headers[name]]);

    const refused = await send(other, operationId);
    expect(refused.json()).toMatchObject({ status: 422, code: 'idempotency_key_reused' });
    expect(await ledgerNow()).toEqual(after);
  });

  test('that comes ten times at once does it once', async () => {
    const [asked] = await make();
    const key = `${operationId} at once`;
    const replies = await Promise.all(Array.from({ length: 10 }, () => send(asked, key)));
    expect(new Set(replies.map(({ statusCode }) => statusCode)).size).toBe(1);
    expect(new Set(replies.map(({ body }) => body)).size).toBe(1);
    expect(replies.filter(({ headers }) => headers['idempotent-replayed'] === undefined)).toHaveLength(1);
    expect((await send(asked, key)).body).toBe(replies[0]?.body);
  });

  test('with a key that is none is refused', async () => {
    const [asked] = await make();
    const before = await ledgerNow();
    const reply = await send(asked, '"open');
    expect(reply.json()).toMatchObject({ status: 400, errors: [{ pointer: '/headers/idempotency-key' }] });
    expect(await ledgerNow()).toEqual(before);
  });
});

describe('key, effect and answer are one', () => {
  test.each([
    ['INSERT ON audit_log', 'the effect'],
    ['UPDATE ON idempotency_keys', 'keeping the answer'],
  ])('%s fails, so %s takes all of it back, and the next try does it', async (event) => {
    const [asked] = await (REQUESTS.createApiKey?.() ?? Promise.reject());
    const before = [await ledgerNow(), await keptAnswers()];
    {
      await using _ = await failing(event);
      expect((await send(asked, event)).statusCode).toBe(500);
    }
    expect([await ledgerNow(), await keptAnswers()]).toEqual(before);
    expect((await send(asked, event)).headers['idempotent-replayed']).toBeUndefined();
  });

  test('a refusal is not remembered: what was wrong may be mended', async () => {
    const id = await api.submit();
    await runJob(api.db, id);
    const asked = { url: `/v1/jobs/${id}/reschedule`, body: { delayMs: 60_000 } };
    expect((await send(asked, 'refused')).json()).toMatchObject({ status: 409, code: 'job_running' });
    await makeReady(api.db);
    expect((await send(asked, 'refused')).statusCode).toBe(200);
  });

  test('what was right when it was first asked is not judged again', async () => {
    const runAt = new Date(Date.now() - 59_000);
    const asked = { url: `/v1/jobs/${await api.submit()}/reschedule`, body: { runAt: runAt.toISOString() } };
    expect((await send(asked, 'late')).statusCode).toBe(200);
    const old = { ...asked, body: { runAt: '2020-01-01T00:00:00Z' } };
    expect((await send(old, 'late')).json().code).toBe('idempotency_key_reused');
    expect((await send(old)).json().code).toBe('validation_failed');
  });

  test('a job is told as it is by then, with the status of the first answer', async () => {
    const id = await api.submit();
    await runJob(api.db, id);
    const asked = { url: `/v1/jobs/${id}/cancel` };
    expect((await send(asked, 'asked to stop')).statusCode).toBe(202);
    await finishJobs(api.db, { which: sql`job_id = ${parsePublicId('job', id)}`, status: 'canceled' });
    expect((await send(asked)).json().code).toBe('job_already_finished');
    const again = await send(asked, 'asked to stop');
    expect([again.statusCode, again.json().status]).toEqual([202, 'canceled']);
  });

  test('a key that is being used for longer than two seconds is a 409', async () => {
    const [asked] = await (REQUESTS.createApiKey?.() ?? Promise.reject());
    await api.db.transaction().execute(async (tx) => {
      await sql`INSERT INTO idempotency_keys (tenant_id, route, key, fingerprint, expires_at)
        VALUES (${api.tenantId}, 'POST /v1/api-keys', 'busy', '', now() + interval '1 d')`.execute(tx);
      const reply = await send(asked, 'busy');
      expect(reply.json()).toMatchObject({ status: 409, code: 'idempotency_key_in_use' });
      expect(reply.headers['retry-after']).toBe('1');
    });
  });

  test('a key is free when it has expired', async () => {
    const [asked, other] = await (REQUESTS.createApiKey?.() ?? Promise.reject());
    await send(asked, 'expired');
    await sql`UPDATE idempotency_keys SET expires_at = now() - interval '1 s' WHERE key = 'expired'`.execute(
      api.db,
    );
    const reply = await send(other, 'expired');
    expect([reply.statusCode, reply.headers['idempotent-replayed']]).toEqual([201, undefined]);
  });
});

describe('the text of an API key', () => {
  const asked = { url: '/v1/api-keys', body: { name: 'sealed', scopes: ['jobs:read'] } };

  test('is told again, works, and is nowhere in the ledger', async () => {
    await send(asked, 'sealed');
    const { key } = (await send(asked, 'sealed')).json();
    expect((await api.send('GET', '/v1/jobs', { key })).statusCode).toBe(200);
    const kept = await keptAnswers();
    expect(kept).toContain('sealed.v1.');
    expect(kept).not.toContain(key.slice(key.lastIndexOf('_') + 1));
  });

  test('is told to the API key alone that made it, whatever another one may do', async () => {
    const twin = await keyWith(api, ['admin', 'jobs:read']);
    await send(asked, 'mine');
    const reply = await send(asked, 'mine', { key: twin });
    expect(reply.json()).toMatchObject({ status: 422, code: 'idempotency_key_reused' });
  });
});

test('a job that could not be submitted any more is still told of to the request that made it', async () => {
  const asked = { url: '/v1/jobs', body: { type: 'test.echo', payload: {}, queue: 'passing' } };
  await sql`INSERT INTO queues (name) VALUES ('passing')`.execute(api.db);
  await waitUntil(async () => (await send(asked)).statusCode === 202, { until: 'the queue is known' });
  const first = await send(asked, 'outlived');
  await sql`DELETE FROM queues WHERE name = 'passing'`.execute(api.db);
  await waitUntil(async () => (await send(asked)).statusCode === 422, { until: 'the queue is gone' });
  const again = await send(asked, 'outlived');
  expect([again.statusCode, again.json().id]).toEqual([202, first.json().id]);
  expect(again.headers['idempotent-replayed']).toBe('true');
  const other = { ...asked, body: { ...asked.body, priority: 'low' } };
  expect((await send(other, 'outlived')).statusCode).toBe(422);
});
