import { setTimeout as delay } from 'node:timers/promises';
import { waitUntil } from '@accepted/testing/wait-until';
import { sql } from 'kysely';
import { describe, expect, test } from 'vitest';
import { useWorkers } from './use-workers.ts';

const QUICK_MS = 20;
/** Twenty times as long. */
const SLOW_MS = 400;
const SLOTS = 4;
const AT_ONCE = 40;
/** Without a rest it would run twice as many of `MANY`. */
const MANY = 300;
const HARDLY_ANY = 2 * SLOTS;
/** It rests for ten of them. */
const HEARTBEAT_MS = 300;

describe.each(['redis', 'postgres'] as const)('a worker that is far slower than its peer on %s', (kind) => {
  const workers = useWorkers(kind, { WORKER_CONCURRENCY: SLOTS, HEARTBEAT_MS });

  /** Starts a worker whose handlers take as long as is said at the time. */
  async function start(name: string, handler: { ms: number }) {
    const seen = { runs: 0, running: 0 };
    const worker = await workers.start(name, async () => {
      seen.runs += 1;
      seen.running += 1;
      await delay(handler.ms);
      seen.running -= 1;
    });
    return { worker, seen };
  }

  const slowWorkers = () =>
    workers.database.db.selectFrom('workers').select('id').where('slow_since', 'is not', null).execute();

  async function waiting(name: string): Promise<number> {
    const { rows } = await sql<{ jobs: number }>`
      SELECT count(*)::int AS jobs FROM current_jobs WHERE queue = ${name} AND status <> 'succeeded'`.execute(
      workers.database.db,
    );
    return rows[0]?.jobs ?? 0;
  }

  /** Keeps both at work until something is so. */
  function workUntil(name: string, isSo: () => Promise<boolean>, until: string) {
    const look = async () => {
      if ((await waiting(name)) < AT_ONCE) await workers.submit(name, {}, AT_ONCE);
      return await isSo();
    };
    return waitUntil(look, { until, timeoutMs: 40_000 });
  }

  const allEnd = (name: string) =>
    waitUntil(async () => (await waiting(name)) === 0, { until: 'all jobs have ended', timeoutMs: 40_000 });

  test('ends what it has and takes no more, the other one goes on, and it is taken back when it is quick', async () => {
    const name = 'lame';
    const handler = { ms: SLOW_MS };
    const slow = await start(name, handler);
    const quick = await start(name, { ms: QUICK_MS });
    await workUntil(name, async () => (await slowWorkers()).length === 1, 'one of them is marked');
    await waitUntil(() => slow.seen.running === 0, { until: 'it has ended what it had' });

    const before = { slow: slow.seen.runs, quick: quick.seen.runs };
    await workers.submit(name, {}, MANY);
    await allEnd(name);
    expect(quick.seen.runs).toBeGreaterThan(before.quick + MANY / 2);
    expect(slow.seen.runs - before.slow).toBeLessThanOrEqual(HARDLY_ANY);

    handler.ms = QUICK_MS;
    await workUntil(name, async () => (await slowWorkers()).length === 0, 'it is taken back');
    const { runs } = slow.seen;
    await workUntil(name, async () => slow.seen.runs > runs + 2 * AT_ONCE, 'it works as before');
    await allEnd(name);
  });

  test('takes all jobs again when the other one leaves', async () => {
    const name = 'lonely';
    const slow = await start(name, { ms: SLOW_MS });
    const quick = await start(name, { ms: QUICK_MS });
    await workUntil(name, async () => (await slowWorkers()).length === 1, 'one of them is marked');
    await waitUntil(() => slow.seen.running === 0, { until: 'it has ended what it had' });
    await quick.worker.stop();
    await workers.submit(name, {}, AT_ONCE);
    await allEnd(name);
    expect(await slowWorkers()).toEqual([]);
  });

  test('leaves to it what an installation does once', async () => {
    const name = 'leading';
    const dispatcher = async () => {
      const { rows } = await sql<{ holder: string }>`
        SELECT holder FROM services WHERE name = ${`dispatcher of ${name}`}`.execute(workers.database.db);
      return rows[0]?.holder;
    };
    await start(name, { ms: SLOW_MS });
    const first = await waitUntil(dispatcher, { until: 'it dispatches' });
    await start(name, { ms: QUICK_MS });
    await workUntil(name, async () => (await slowWorkers()).length === 1, 'one of them is marked');
    expect(await slowWorkers()).toEqual([{ id: first }]);
    await workUntil(name, async () => (await dispatcher()) !== first, 'the other one dispatches');
    await allEnd(name);
  });
});
