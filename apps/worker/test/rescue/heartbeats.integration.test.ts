import { waitUntil } from '@accepted/testing/wait-until';
import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { CONFIG, useWorkers } from '../use-workers.ts';

const workers = useWorkers('redis');
const HELD_MS = CONFIG.LEASE_MS + 2 * CONFIG.HEARTBEAT_MS;

/** How long ago the newest worker sent its last heartbeat, by the clock of Postgres. */
async function silentForMs(): Promise<number> {
  const { rows } = await sql<{ ms: number }>`
    SELECT (extract(epoch FROM clock_timestamp() - heartbeat_at) * 1000)::float8 AS ms
    FROM workers ORDER BY started_at DESC LIMIT 1`.execute(workers.database.db);
  return rows[0]?.ms ?? Number.POSITIVE_INFINITY;
}

/** Looks again and again for longer than a lease; answers the longest silence that was seen. */
async function longestSilenceMs(): Promise<number> {
  const endsAt = performance.now() + HELD_MS;
  let longest = 0;
  const look = async () => {
    longest = Math.max(longest, await silentForMs());
    return performance.now() > endsAt;
  };
  await waitUntil(look, { until: 'a lease has passed', timeoutMs: 2 * HELD_MS });
  return longest;
}

test('heartbeats go through while the table of jobs is locked', async () => {
  await workers.start('locked', () => undefined);
  await workers.database.db.transaction().execute(async (tx) => {
    await sql`LOCK TABLE in_flight IN ACCESS EXCLUSIVE MODE`.execute(tx);
    expect(await longestSilenceMs()).toBeLessThan(CONFIG.LEASE_MS / 2);
  });
});

test('heartbeats go through while every other connection of the worker is taken', async () => {
  const { db } = await workers.start('crowded', () => undefined);
  const taken = Array.from({ length: 15 }, () => sql`SELECT pg_sleep(${HELD_MS / 1_000})`.execute(db));
  expect(await longestSilenceMs()).toBeLessThan(CONFIG.LEASE_MS / 2);
  await Promise.all(taken);
});
