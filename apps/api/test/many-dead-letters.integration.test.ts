import { discardSelected } from '@accepted/shared/ledger/dead-letters/act-on-dead-letters';
import { createBulkReplay } from '@accepted/shared/ledger/dead-letters/bulk-replays';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type ApiUnderTest, createOtherTenant, startApi } from './api-under-test.ts';
import { die, keyWith } from './dead-letters-under-test.ts';

let api: ApiUnderTest;
let other: string;
let queue = 0;
const code = () => `code${queue}`;
beforeAll(async () => {
  api = await startApi();
  other = await createOtherTenant(api.db);
});
afterAll(async () => await api[Symbol.asyncDispose]());
beforeEach(() => {
  queue += 1;
});

/** Lets jobs die of an error that no other test has; answers their dead letters and its fingerprint. */
async function dieOften(count: number) {
  const ids: string[] = [];
  for (let n = 0; n < count; n += 1) ids.push((await die(api, {}, { code: code() })).id);
  const { fingerprint } = (await api.send('GET', `/v1/dead-letters/${ids[0]}`)).json();
  return { ids, filter: { fingerprint } };
}

const post = async (path: string, body: unknown, key = api.key) =>
  await api.send('POST', `/v1/dead-letters${path}`, { body, key });
const resolutionOf = async (id: string) =>
  (await api.send('GET', `/v1/dead-letters/${id}`)).json().resolution;
const act = { actor: 'test', reason: 'the test says so' };

describe('POST /v1/dead-letters/discard', () => {
  test('discards what matches, with an audit row each', async () => {
    const { ids, filter } = await dieOften(3);
    const bystander = await die(api);
    const reply = await post('/discard', { filter, reason: 'all the same' });

    expect([reply.statusCode, reply.json()]).toEqual([200, { discarded: 3, hasMore: false }]);
    expect(await Promise.all(ids.map(resolutionOf))).toEqual(Array(3).fill('discarded'));
    expect(await resolutionOf(bystander.id)).toBeNull();
    for (const id of ids) {
      const { data } = (await api.send('GET', `/v1/audit-log?target=${id}`)).json();
      expect(data).toMatchObject([{ action: 'dead_letter.discard', reason: 'all the same' }]);
    }
  });

  test('discards by ids; one that is resolved already is passed over', async () => {
    const { ids } = await dieOften(2);
    await api.send('DELETE', `/v1/dead-letters/${ids[0]}`);

    expect((await post('/discard', { ids })).json()).toEqual({ discarded: 1, hasMore: false });
  });

  test('an unknown id among them is 404 and nothing is discarded', async () => {
    const { ids } = await dieOften(1);
    const unknown = ['dlq_01jvtg3n7be4a9z0q8y5w2m6kd', 'nope'];
    for (const id of unknown) {
      const reply = await post('/discard', { ids: [...ids, id] });
      expect([reply.statusCode, reply.json()]).toMatchObject([
        404,
        { code: 'dead_letter_not_found', errors: [{ pointer: '/ids/1' }] },
      ]);
    }
    expect(await resolutionOf(ids[0] ?? '')).toBeNull();
  });

  test('more than fit into one request are discarded in several', async () => {
    const { filter } = await dieOften(3);
    const { tenantId } = api;
    const request = { tenantId, selection: { filter }, act, limit: 2 };

    expect(await discardSelected(api.db, request)).toMatchObject({ discarded: 2, hasMore: true });
    expect(await discardSelected(api.db, request)).toMatchObject({ discarded: 1, hasMore: false });
  });
});

describe('POST /v1/dead-letters/replay', () => {
  test('a dry run counts and shows the oldest, and does nothing', async () => {
    const { ids, filter } = await dieOften(2);
    const reply = await post('/replay', { filter, dryRun: true });

    expect([reply.statusCode, reply.json()]).toEqual([
      200,
      { dryRun: true, matched: 2, limited: false, sample: ids },
    ]);
    expect(await resolutionOf(ids[0] ?? '')).toBeNull();
  });

  test('takes what matches now, and tells where to follow it', async () => {
    const { filter } = await dieOften(3);
    const reply = await post('/replay', { filter, canary: 1, ratePerSecond: 2.5, reason: 'fixed' });
    await dieOften(1);

    expect(reply.statusCode).toBe(202);
    const replay = reply.json();
    expect(reply.headers.location).toBe(`/v1/bulk-replays/${replay.id}`);
    expect(replay).toMatchObject({
      id: expect.stringMatching(/^rep_/),
      status: 'canary',
      matched: 3,
      limited: false,
      pending: 3,
      replayed: 0,
      canary: 1,
      ratePerSecond: 2.5,
      reason: 'fixed',
      finishedAt: null,
    });
    expect((await api.send('GET', replay.links.self)).json()).toEqual(replay);
    const { data } = (await api.send('GET', `/v1/audit-log?target=${replay.id}`)).json();
    expect(data).toMatchObject([{ action: 'bulk_replay.create', reason: 'fixed', detail: { matched: 3 } }]);
  });

  test('takes no more than fit, the oldest, and says so', async () => {
    const { ids, filter } = await dieOften(3);
    const { tenantId } = api;
    const request = { tenantId, selection: { filter }, act, canary: 0, limit: 2 };
    const created = await createBulkReplay(api.db, request);
    if (!('replay' in created)) throw new Error('it was not created');

    expect(created.replay).toMatchObject({ matched: 2, limited: true });
    const items = api.db.selectFrom('bulk_replay_items').select('dead_letter_id');
    const rows = await items.where('bulk_replay_id', '=', created.replay.id).execute();
    expect(rows).toHaveLength(2);
    expect((await post('/replay', { filter, dryRun: true })).json().sample.slice(0, 2)).toEqual(
      ids.slice(0, 2),
    );
  });

  test.each([
    [{}, ['']],
    [{ filter: {}, ids: ['dlq_x'] }, ['']],
    [{ ids: [] }, ['/ids']],
    [{ filter: { queu: 'x' } }, ['/filter/queu']],
    [{ filter: { createdAfter: '2016-12-31T23:59:60Z' }, canary: -1 }, ['/canary', '/filter/createdAfter']],
    [{ filter: {}, ratePerSecond: 0 }, ['/ratePerSecond']],
    [{ filter: { queue: 'a\u0000' } }, ['/filter/queue']],
    [[], ['']],
  ])('the body %j is 422', async (body, pointers) => {
    const reply = await post('/replay', body);
    expect(reply.statusCode).toBe(422);
    expect(reply.json().errors.map(({ pointer }: { pointer: string }) => pointer)).toEqual(
      expect.arrayContaining(pointers),
    );
  });

  test('the ids of another tenant are 404, and its filter matches nothing', async () => {
    const { ids, filter } = await dieOften(1);

    expect((await post('/replay', { ids }, other)).statusCode).toBe(404);
    expect((await post('/replay', { ids, dryRun: true }, other)).statusCode).toBe(404);
    expect((await post('/discard', { ids }, other)).statusCode).toBe(404);
    expect((await post('/replay', { filter }, other)).json().matched).toBe(0);
    expect((await post('/discard', { filter: {} }, other)).json().discarded).toBe(0);
  });
});

describe('POST /v1/bulk-replays/{id}/cancel', () => {
  const cancel = (id: string, key = api.key) => api.send('POST', `/v1/bulk-replays/${id}/cancel`, { key });

  test('ends it where it stands, once', async () => {
    const { filter } = await dieOften(1);
    const { id } = (await post('/replay', { filter })).json();
    const reply = await cancel(id);

    expect([reply.statusCode, reply.json()]).toMatchObject([200, { status: 'canceled', pending: 1 }]);
    const again = await cancel(id);
    expect([again.statusCode, again.json()]).toMatchObject([
      409,
      { code: 'bulk_replay_already_ended', replayStatus: 'canceled' },
    ]);
    const { data } = (await api.send('GET', `/v1/audit-log?target=${id}&action=bulk_replay.cancel`)).json();
    expect(data).toHaveLength(1);
  });

  test('an unknown one is 404, as is that of another tenant', async () => {
    const { filter } = await dieOften(1);
    const { id } = (await post('/replay', { filter })).json();
    for (const unknown of ['nope', 'rep_01jvtg3n7be4a9z0q8y5w2m6kd', id]) {
      const replies = [
        await api.send('GET', `/v1/bulk-replays/${unknown}`, { key: other }),
        await cancel(unknown, other),
      ];
      for (const reply of replies)
        expect([reply.statusCode, reply.json().code]).toEqual([404, 'bulk_replay_not_found']);
    }
  });
});

describe('GET /v1/audit-log', () => {
  test('lists what was done, newest first, page by page, by action and actor', async () => {
    const { ids } = await dieOften(2);
    for (const id of ids) await api.send('DELETE', `/v1/dead-letters/${id}`);
    const read = async (query: string) => (await api.send('GET', `/v1/audit-log${query}`)).json();

    const page = await read('?limit=1&action=dead_letter.discard');
    expect(page).toMatchObject({ hasMore: true, data: [{ target: ids[1] }] });
    expect(page.data[0]).toMatchObject({ id: expect.stringMatching(/^aud_/), createdAt: expect.any(String) });
    const next = await read(`?limit=1&action=dead_letter.discard&cursor=${page.nextCursor}`);
    expect(next.data).toMatchObject([{ target: ids[0], reason: 'none was given' }]);
    expect((await read('?actor=nobody')).data).toEqual([]);
  });

  test('needs the scope admin, and shows no other tenant', async () => {
    await dieOften(1);
    const key = await keyWith(api, ['dead-letters']);
    expect((await api.send('GET', '/v1/audit-log', { key })).statusCode).toBe(403);
    expect((await api.send('GET', '/v1/audit-log', { key: other })).json().data).toMatchObject([
      { action: 'bulk_replay.create' },
    ]);
  });
});
