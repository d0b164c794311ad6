import { beat } from '@accepted/shared/ledger/workers/beat';
import { hasLiveWorker, markLostWorkers } from '@accepted/shared/ledger/workers/workers';
import { sql } from 'kysely';
import { beforeEach, describe, expect, test } from 'vitest';
import { useLedger } from './ledger.ts';

const ledger = useLedger();
const TIMES = { leaseMs: 15_000, heartbeatMs: 3_000 };

let rescuerId: string;
beforeEach(async () => {
  rescuerId = await ledger.startWorker();
});

/** Moves a worker's clock: how long ago it sent its last heartbeat, and since when there was no gap. */
async function setTimes(id: string, { silentMs, steadyMs }: { silentMs: number; steadyMs: number }) {
  await sql`UPDATE workers SET heartbeat_at = now() - ${silentMs} * interval '1 ms',
    steady_since = now() - ${steadyMs} * interval '1 ms' WHERE id = ${id}`.execute(ledger.db);
}

const prolong = async (id: string) =>
  (await beat(ledger.db, id, { ...TIMES, finishedPerSecond: {}, engineUp: true })).isAlive;
const markLost = () => markLostWorkers(ledger.db, { ...TIMES, rescuerId });

describe('of a worker that was silent for a lease', () => {
  beforeEach(() => setTimes(ledger.workerId, { silentMs: 16_000, steadyMs: 60_000 }));

  test('the lease is ended by a rescuer whose own heartbeats went through all the while', async () => {
    await setTimes(rescuerId, { silentMs: 1_000, steadyMs: 16_000 });
    expect(await markLost()).toEqual([ledger.workerId]);
    expect(await prolong(ledger.workerId)).toBe(false);
    expect(await markLost()).toEqual([]);
  });

  test.each([
    ['has not sent a heartbeat lately itself', { silentMs: 7_000, steadyMs: 60_000 }],
    ['has been steady for less than a lease', { silentMs: 0, steadyMs: 14_000 }],
  ])('the lease is not ended by a rescuer that %s', async (_, times) => {
    await setTimes(rescuerId, times);
    expect(await markLost()).toEqual([]);
    expect(await prolong(ledger.workerId)).toBe(true);
  });

  test('the lease is not ended by a rescuer that has just sent its first heartbeat after a stall', async () => {
    await setTimes(rescuerId, { silentMs: 14_000, steadyMs: 60_000 });
    await prolong(rescuerId);
    expect(await markLost()).toEqual([]);
  });

  test('the lease is not ended by a rescuer that has lost its own', async () => {
    await setTimes(rescuerId, { silentMs: 1_000, steadyMs: 60_000 });
    await sql`UPDATE workers SET lost_at = now() WHERE id = ${rescuerId}`.execute(ledger.db);
    expect(await markLost()).toEqual([]);
  });

  test('the lease is not ended while its row is locked, and nobody waits for the lock', async () => {
    await setTimes(rescuerId, { silentMs: 1_000, steadyMs: 60_000 });
    await ledger.db.transaction().execute(async (tx) => {
      await sql`SELECT FROM workers WHERE id = ${ledger.workerId} FOR UPDATE`.execute(tx);
      expect(await markLost()).toEqual([]);
    });
    expect(await markLost()).toEqual([ledger.workerId]);
  });
});

test('heartbeats without a gap keep a worker steady', async () => {
  await setTimes(rescuerId, { silentMs: 5_000, steadyMs: 60_000 });
  await prolong(rescuerId);
  await setTimes(ledger.workerId, { silentMs: 16_000, steadyMs: 60_000 });
  expect(await markLost()).toEqual([ledger.workerId]);
});

describe('a live worker is found', () => {
  const isLive = (of: { hostname: string; pid?: number }) => hasLiveWorker(ledger.db, of, TIMES.leaseMs);
  const both = { silentMs: 14_000, steadyMs: 60_000 };

  test('on its host and as its process, and nowhere else', async () => {
    expect(await isLive({ hostname: 'test' })).toBe(true);
    expect(await isLive({ hostname: 'test', pid: 1 })).toBe(true);
    expect(await isLive({ hostname: 'test', pid: 2 })).toBe(false);
    expect(await isLive({ hostname: 'other' })).toBe(false);
  });

  test('while its heartbeat is young and its lease has not ended', async () => {
    for (const id of [ledger.workerId, rescuerId]) await setTimes(id, both);
    expect(await isLive({ hostname: 'test' })).toBe(true);
    await setTimes(ledger.workerId, { ...both, silentMs: 16_000 });
    await sql`UPDATE workers SET lost_at = now() WHERE id = ${rescuerId}`.execute(ledger.db);
    expect(await isLive({ hostname: 'test' })).toBe(false);
  });
});
