import { hostname } from 'node:os';
import { hasLiveWorker, listLiveLanes } from '@accepted/shared/ledger/workers/workers';
import { TEST_BUILD } from '@accepted/testing/test-build';
import { createTestDatabase, type TestDatabase } from '@accepted/testing/test-database';
import { waitUntil } from '@accepted/testing/wait-until';
import { sql } from 'kysely';
import { pino } from 'pino';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createClaimer } from '../../src/path/claimer.ts';
import { holdLease, type Lease } from '../../src/services/rescue/lease.ts';
import { createServiceLeases, type ServiceLeases } from '../../src/services/service-leases.ts';

const logger = pino({ level: 'silent' });

let database: TestDatabase;
let lease: Lease;
let lost: PromiseWithResolvers<void>;
let services: ServiceLeases;
beforeEach(async () => {
  database = await createTestDatabase();
  lost = Promise.withResolvers();
  services = createServiceLeases();
  lease = await holdLease({
    db: database.db,
    queues: ['default'],
    concurrency: 1,
    slotsByQueue: {},
    buildId: TEST_BUILD,
    heartbeatMs: 50,
    finishedPerSecond: () => ({}),
    slowTypes: () => [],
    isEngineUp: () => true,
    engineFullness: () => 0,
    services,
    rest: { isOn: () => false, tell: () => ({}), hear: async () => undefined },
    onLost: lost.resolve,
    logger,
  });
});
afterEach(async () => {
  await lease.release();
  await database.drop();
});

/** Has the lease end, as a rescuer does it, and Postgres refuse every new one until the function is called. */
async function loseLease(): Promise<() => Promise<void>> {
  const { db } = database;
  await sql`CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'refused by the test'; END $$`.execute(db);
  await sql`CREATE TRIGGER refuse BEFORE INSERT ON workers FOR EACH ROW EXECUTE FUNCTION refuse()`.execute(
    db,
  );
  await sql`UPDATE workers SET lost_at = now()`.execute(db);
  await lost.promise;
  return async () => {
    await sql`DROP TRIGGER refuse ON workers`.execute(db);
  };
}

test('from the loss of a lease to the next one there is no worker id', async () => {
  const before = lease.workerId();
  const allowLeases = await loseLease();
  expect(lease.workerId()).toBeUndefined();
  await allowLeases();
  const after = await waitUntil(lease.workerId, { until: 'a lease is held again' });
  expect(after).not.toBe(before);
});

test('a worker that drains is counted on no more, and keeps its lease', async () => {
  const lanes = () => listLiveLanes(database.db, 'default');
  expect(await lanes()).toMatchObject([{ buildId: TEST_BUILD, workers: 1 }]);
  await lease.drain();
  expect(await lanes()).toEqual([]);
  expect(await hasLiveWorker(database.db, { hostname: hostname(), pid: process.pid }, 60_000)).toBe(true);
});

test('without a lease a delivered job is not claimed, and not dropped: it waits for the next lease', async () => {
  const allowLeases = await loseLease();
  const claimer = createClaimer({
    db: database.db,
    workerId: lease.workerId,
    isClosing: () => false,
    logger,
  });
  let answered = false;
  const claim = claimer
    .claim({ id: '0190a5ad-4a9e-7000-8000-000000000000', dispatchNo: 1 })
    .finally(() => (answered = true));
  await claimer.drain();
  expect(answered).toBe(false);
  await allowLeases();
  await claim;
  expect(lease.workerId()).toBeDefined();
});

test('a worker that has left its services knows at once that it has none, and takes none', async () => {
  const service = services.one('a');
  lease.lookForServices();
  await waitUntil(service.isHeld, { until: 'it has the service' });
  const left = lease.leaveServices();
  expect(service.isHeld()).toBe(false);
  await left;
  let beats = 0;
  const beaten = services.beaten;
  services.beaten = (...args) => {
    beats += 1;
    beaten(...args);
  };
  lease.lookForServices();
  await waitUntil(() => beats > 1, { until: 'it has beaten' });
  expect(service.isHeld()).toBe(false);
});
