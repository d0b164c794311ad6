import { randomUUID } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { laneName } from '@accepted/shared/engine/names';
import { startTcpProxy, type TcpProxy } from '@accepted/testing/tcp-proxy';
import { createTestDatabase, type TestDatabase } from '@accepted/testing/test-database';
import { openTestEngine } from '@accepted/testing/test-engine';
import { waitUntil } from '@accepted/testing/wait-until';
import { sql } from 'kysely';
import { expect, onTestFinished, test } from 'vitest';

const LATE = { queue: 'late', buildId: 'b' };
const DEAF = { queue: 'deaf', buildId: 'b' };

/** Opens the engine of a fresh database behind a link that the test can break. */
async function openBehindProxy() {
  const database = await createTestDatabase({ engine: 'postgres' });
  const direct = new URL(database.url);
  const proxy = await startTcpProxy({ target: { host: direct.hostname, port: Number(direct.port) } });
  const url = new URL(database.url);
  url.host = `127.0.0.1:${proxy.port}`;
  const engine = openTestEngine({ databaseUrl: url.href });
  onTestFinished(async () => {
    await engine.close();
    await proxy.close();
    await database.drop();
  });
  return { database, proxy, engine };
}

/** Breaks the link, and `times` times whatever is connected anew. */
async function breakLink(proxy: TcpProxy, times: number): Promise<void> {
  proxy.blackhole();
  for (let time = 0; time < times; time += 1) {
    await waitUntil(() => proxy.resetAll() > 0, { until: 'somebody tries to connect' });
    // The broken connections count until the event loop has told that they are closed.
    await nextTurn();
  }
}

const aJob = () => ({ id: randomUUID(), dispatchNo: 1, type: 'test.noop', traceparent: null });

test('a queue that is first used while Postgres is away works as soon as it is back', async () => {
  const { proxy, engine } = await openBehindProxy();
  proxy.blackhole();
  const [refused] = await Promise.allSettled([engine.deliver(LATE, [[aJob()]]), breakLink(proxy, 1)]);
  expect(refused.status).toBe('rejected');
  proxy.heal();
  await engine.deliver(LATE, [[aJob()]]);
  expect(await engine.store.queue(laneName(LATE)).getWaitingCount()).toBe(1);
});

test('a worker that lost Postgres, and then a notification, finds the job within seconds', async () => {
  const { database, proxy, engine } = await openBehindProxy();
  const delivered: string[] = [];
  const consumer = engine.consume(
    DEAF,
    async (delivery) => void delivered.push(...delivery.map(({ id }) => id)),
    { concurrency: 1 },
  );
  onTestFinished(consumer.close);
  const [heard, missed] = [aJob(), aJob()];
  await engine.deliver(DEAF, [[heard]]);
  await waitUntil(() => delivered.length === 1, { until: 'the worker works' });
  await waitUntil(() => hasBegunToWait(database), { until: 'the worker waits' });
  await breakLink(proxy, 20);
  proxy.heal();
  await waitUntil(() => hasBegunToWait(database), { until: 'the worker waits again' });
  await silence(database);
  await engine.deliver(DEAF, [[missed]]);
  await waitUntil(() => delivered.includes(missed.id), { until: 'it has the job' });
}, 30_000);

/** The last thing that BullMQ asks before it waits for a notification is when the next delayed job is due. */
async function hasBegunToWait({ db }: TestDatabase): Promise<boolean> {
  const { rows } = await sql`
    SELECT FROM pg_stat_activity
    WHERE datname = current_database() AND state = 'idle' AND query LIKE '%next_delay(%'`.execute(db);
  return rows.length > 0;
}

/** From now on no notification of BullMQ goes out: its functions find one that does nothing before `pg_notify`. */
async function silence({ db }: TestDatabase): Promise<void> {
  await sql`CREATE SCHEMA quiet`.execute(db);
  await sql`CREATE FUNCTION quiet.pg_notify(text, text) RETURNS void LANGUAGE sql AS ''`.execute(db);
  await sql`
    DO $$
    DECLARE known regprocedure;
    BEGIN
      FOR known IN SELECT oid FROM pg_proc WHERE pronamespace = 'bullmq'::regnamespace LOOP
        EXECUTE format('ALTER ROUTINE %s SET search_path = quiet, bullmq, pg_catalog', known);
      END LOOP;
    END $$`.execute(db);
}
