import { parsePublicId } from '@accepted/shared/core/job/id';
import { addToCounters } from '@accepted/shared/ledger/queues/counters';
import { waitUntil } from '@accepted/testing/wait-until';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { cookieOf, logIn, ORIGIN, PAGE, PASSWORD } from './admin-under-test.ts';
import { type ApiUnderTest, runJob, startApi } from './api-under-test.ts';
import { die } from './dead-letters-under-test.ts';

interface BoardQueue {
  name: string;
  counts: Record<string, number>;
  readOnlyMode: boolean;
  jobs: { id: string; name: string; data: object }[];
}

describe('the board', () => {
  let api: ApiUnderTest;
  let cookie: { cookie: string };
  beforeAll(async () => {
    api = await startApi({ ADMIN_PASSWORD: PASSWORD });
    cookie = cookieOf(await logIn(api));
  });
  afterAll(async () => await api[Symbol.asyncDispose]());

  test('shows of every queue the dead letters, and what waits and runs as the ledger has it, to look at', async () => {
    const read = async (query = '') => {
      const reply = await api.send('GET', `/admin/queues/api/queues${query}`, { headers: cookie });
      const queues: BoardQueue[] = reply.json().queues;
      return new Map(queues.map((queue) => [queue.name, queue]));
    };
    const waiting = await api.submit({ payload: { count: 7 } });
    const delayed = await api.submit({ delayMs: 60_000 });
    const running = await api.submit();
    await runJob(api.db, running);
    const shown = await waitUntil(
      async () => {
        const queues = await read('?activeQueue=default&status=latest&page=1&jobsPerPage=10');
        return queues.get('default')?.counts.active === 1 ? queues : undefined;
      },
      { until: 'the board counts the jobs' },
    );
    expect([...shown.keys()]).toEqual(
      expect.arrayContaining(['default', 'default-dead', 'strict', 'strict-dead', 'webhooks-dead']),
    );
    const { counts, readOnlyMode, jobs } = shown.get('default') ?? {};
    expect([counts, readOnlyMode]).toEqual([{ active: 1, waiting: 1, delayed: 1 }, true]);
    expect(jobs?.map(({ id, name }) => [id, name])).toEqual(
      [running, waiting, delayed].map((id) => [id, 'test.echo']),
    );
    expect(jobs?.[1]?.data).toMatchObject({ status: 'queued', payload: { count: 7 } });
    expect(shown.get('strict')?.counts).toEqual({ active: 0, waiting: 0, delayed: 0 });
    const one = await api.send('GET', `/admin/queues/api/queues/default/${waiting}`, { headers: cookie });
    expect(one.json()).toMatchObject({ job: { id: waiting, name: 'test.echo' }, status: 'waiting' });
    const flow = await api.send('GET', `/admin/queues/api/queues/default/${waiting}/flow`, {
      headers: cookie,
    });
    expect(flow.statusCode, flow.body).toBe(200);
  });

  test('shows how many jobs finished over time, of a queue and of all', async () => {
    const finished = (queue: string, by: number) => ({
      name: 'jobs_finished',
      queue,
      label: 'succeeded',
      by,
    });
    await addToCounters(api.db, [finished('default', 3), finished('strict', 2)]);
    await addToCounters(api.db, [finished('default', 1), { ...finished('default', 5), name: 'attempts' }]);
    const history = async (queue: string) => {
      const query = `?from=${Date.now() - 7_200_000}&to=${Date.now()}&granularity=hour${queue}`;
      const reply = await api.send('GET', `/admin/queues/api/metrics/history${query}`, { headers: cookie });
      expect(reply.statusCode, reply.body).toBe(200);
      const points: { value: number }[] = reply.json().completed;
      // An hour may end in between.
      return points.reduce((sum, { value }) => sum + value, 0);
    };
    expect(await history('&queue=default')).toBe(4);
    expect(await history('')).toBe(6);
  });

  test('the page loads nothing from elsewhere', async () => {
    const page = await api.send('GET', '/admin/queues', { headers: { ...cookie, ...PAGE } });

    expect(page.statusCode).toBe(200);
    expect(page.headers['content-security-policy']).toContain("default-src 'none'; script-src 'self'");
    expect(page.headers['referrer-policy']).toBe('same-origin');
    expect(page.body).not.toMatch(/(href|src)="(https?:)?\/\//);
  });

  test('cleaning all discards the dead letters of the queue that it shows, each with an audit row', async () => {
    const shown = [await die(api), await die(api)];
    const others = [await die(api), await die(api, { queue: 'strict' })];
    const uuidsOf = (letters: { id: string }[]) =>
      letters.map(({ id }) => parsePublicId('deadLetter', id) ?? '');
    await api.db
      .updateTable('dead_letters')
      .set({ mirrored_at: new Date() })
      .where('id', 'in', uuidsOf([...shown, ...others.slice(1)]))
      .execute();
    const url = '/admin/queues/api/queues/default-dead/clean/failed';
    const reply = await api.app.inject({ method: 'PUT', url, headers: { ...cookie, ...ORIGIN } });

    expect(reply.statusCode).toBe(200);
    for (const { id } of shown) {
      const letter = (await api.send('GET', `/v1/dead-letters/${id}`)).json();
      expect(letter).toMatchObject({ resolution: 'discarded', resolvedBy: 'bull-board' });
      const { data } = (await api.send('GET', `/v1/audit-log?target=${id}`)).json();
      expect(data).toMatchObject([{ action: 'dead_letter.discard', actor: 'bull-board' }]);
    }
    for (const { id } of others)
      expect((await api.send('GET', `/v1/dead-letters/${id}`)).json().resolution).toBeNull();
  });

  test.each([
    ['PUT', 'default/retry/failed'],
    ['PUT', 'default/pause'],
    ['POST', 'default/add'],
    ['PUT', 'pause'],
    ['PUT', 'default-dead/pause'],
    ['POST', 'default-dead/add'],
    ['PUT', 'default-dead/empty'],
    ['PUT', 'default-dead/obliterate'],
    ['PUT', 'default-dead/clean/completed'],
    ['PUT', 'default/clean/failed'],
    ['PUT', 'default-dead/retry/completed'],
    ['PATCH', 'default-dead/dlq_1/update-data'],
    ['PUT', 'unknown-dead/retry/failed'],
  ] as const)('%s %s is refused', async (method, path) => {
    const url = `/admin/queues/api/queues/${path}`;
    const reply = await api.app.inject({ method, url, headers: { ...cookie, ...ORIGIN } });

    expect(reply.statusCode).toBe(403);
  });
});

test('without Redis the board fails alone: the API starts, and accepts jobs', async () => {
  await using api = await startApi({ ADMIN_PASSWORD: PASSWORD, REDIS_URL: 'redis://127.0.0.1:1' });
  const cookie = cookieOf(await logIn(api));

  const board = await api.send('GET', '/admin/queues/api/queues', { headers: cookie });
  expect(board.statusCode).toBe(503);
  expect(board.json().error).toContain('none is lost');
  expect((await api.send('GET', '/readyz')).statusCode).toBe(200);
  expect(await api.submit()).toMatch(/^job_/);
});
