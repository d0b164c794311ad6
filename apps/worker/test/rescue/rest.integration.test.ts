import { setTimeout as delay } from 'node:timers/promises';
import { newUuid } from '@accepted/shared/core/job/id';
import type { Takes } from '@accepted/shared/core/overload/slow-worker';
import { beat, type Heartbeat } from '@accepted/shared/ledger/workers/beat';
import { registerWorker } from '@accepted/shared/ledger/workers/workers';
import { registerTestBuild, TEST_BUILD } from '@accepted/testing/test-build';
import { createTestDatabase, type TestDatabase } from '@accepted/testing/test-database';
import { pino } from 'pino';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createHandlerTimes } from '../../src/path/handler-times.ts';
import { createRest, type Rest } from '../../src/services/rescue/rest.ts';

const TYPE = 'test.noop';
const HEARTBEAT_MS = 300;
const STOOD_STILL_MS = 1_500;

let database: TestDatabase;
let [own, other] = ['', ''];
let rest: Rest;
let took: Takes[];
beforeEach(async () => {
  database = await createTestDatabase();
  await registerTestBuild(database.db, [TYPE]);
  [own, other] = [await register(), await register()];
  const times = createHandlerTimes({ slots: 1, now: () => performance.now() });
  for (let run = 0; run < 10; run += 1) times.begin(TYPE)();
  const logger = pino({ level: 'silent' });
  rest = createRest({ db: database.db, heartbeatMs: HEARTBEAT_MS, times: () => [times], logger });
  took = [];
  rest.onChange(async (takes) => void took.push(takes));
});
afterEach(async () => {
  await rest.stop();
  await database.drop();
});

async function register(): Promise<string> {
  const id = newUuid();
  const worker = { hostname: 'test', pid: 1, queues: ['default'], concurrency: 1, buildId: TEST_BUILD };
  await registerWorker(database.db, { id, ...worker });
  return id;
}

const send = (id: string, told: Partial<Heartbeat>) =>
  beat(database.db, id, { heartbeatMs: HEARTBEAT_MS, finishedPerSecond: {}, engineUp: true, ...told });

/** Sends a heartbeat of both. */
async function beatBoth(): Promise<void> {
  await send(other, { pace: { handlerMs: { [TYPE]: 1 }, loopLateMs: 0 } });
  await rest.hear(await send(own, rest.tell()), own);
}

async function standStill(): Promise<void> {
  // The loop is looked at now and then.
  await delay(100);
  const wakesAt = performance.now() + STOOD_STILL_MS;
  while (performance.now() < wakesAt);
  await delay(100);
}

test('a worker whose machine stood still rests when it wakes, also if its first heartbeats do not go through', async () => {
  await beatBoth();
  expect([rest.isOn(), took]).toEqual([false, []]);
  await standStill();
  rest.tell();
  rest.tell();
  await beatBoth();
  expect([rest.isOn(), took]).toEqual([true, ['none']]);
});

test('where nobody else can do its work it goes on', async () => {
  await beatBoth();
  await standStill();
  await database.db.deleteFrom('workers').where('id', '=', other).execute();
  const brought = await send(own, rest.tell());
  const others = [{ handlerMs: { [TYPE]: 1 }, loopLateMs: 0 }];
  await rest.hear({ ...brought, others }, own);
  expect([rest.isOn(), took]).toEqual([false, []]);
});
