import type { AttemptResult } from '@accepted/shared/core/job/decide-outcome';
import { newUuid } from '@accepted/shared/core/job/id';
import { CHANNELS, listen, notify } from '@accepted/shared/ledger/connection/notifications';
import { closeBreaker } from '@accepted/shared/ledger/outbound/breakers';
import { createTestDatabase, type TestDatabase } from '@accepted/testing/test-database';
import { waitUntil } from '@accepted/testing/wait-until';
import { sql } from 'kysely';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { claimedJob } from '../../src/handlers/testing/attempt.ts';
import { createWorkerCounters } from '../../src/metrics/worker-counters.ts';
import { type Breakers, createBreakers, type Passage } from '../../src/outbound/breakers.ts';

const answered: AttemptResult = { kind: 'returned', resultJson: '1' };
const failed: AttemptResult = {
  kind: 'threw',
  error: { code: 'http_503', message: 'It is away.', retryable: true },
};
const stopped: AttemptResult = { kind: 'aborted', reason: 'shutdown' };
/** None ends by itself within a test. */
const OPEN_SECONDS = { first: 60, most: 60 };

let ledger: TestDatabase;
beforeAll(async () => {
  ledger = await createTestDatabase();
});
afterAll(async () => await ledger.drop());

const ends: (() => Promise<unknown>)[] = [];
afterEach(async () => await Promise.all(ends.splice(0).map((end) => end())));

/** Starts what a worker keeps of breakers, told by others as it is. */
function startBreakers({ hears = true } = {}) {
  const counters = createWorkerCounters();
  const errors: unknown[] = [];
  const onError = (error: unknown) => errors.push(error);
  const logger = pino({ level: 'silent' });
  const breakers = createBreakers({
    db: ledger.db,
    counters,
    timesHaveChanged: () => {},
    logger,
    onError,
    openSeconds: OPEN_SECONDS,
  });
  ends.push(breakers.drain, async () => expect(errors).toEqual([]));
  if (!hears) return { breakers, counters };
  const listeners = { [CHANNELS.breakerHasChanged]: breakers.hasChanged };
  const link = listen(ledger.url, listeners, {
    ...{ applicationName: 'test', onError },
    onListening: breakers.readAll,
  });
  ends.push(link.close);
  return { breakers, counters };
}

let job: ReturnType<typeof jobOf>;
beforeEach(() => {
  job = jobOf(newUuid());
});

const jobOf = (tenantId: string, url = 'http://receiver.test/path') =>
  claimedJob({ type: 'http.request', tenantId, payload: { url } });

const isHeld = async (breakers: Breakers, one = job) => 'held' in (await breakers.enter(one));

async function pass(breakers: Breakers): Promise<Passage> {
  const passage = await breakers.enter(job);
  if ('held' in passage) throw new Error('It was held.');
  return passage;
}

async function failFiveTimes(breakers: Breakers): Promise<void> {
  for (let call = 0; call < 5; call += 1) (await pass(breakers)).ended(failed);
  await breakers.drain();
}

const passes = (breakers: Breakers) =>
  waitUntil(
    async () => {
      const passage = await breakers.enter(job);
      return 'held' in passage ? undefined : passage;
    },
    { until: 'a job passes' },
  );

/** Lets as much time pass as it is open for. */
async function letTimePass(): Promise<void> {
  const { id } = await ledger.db
    .updateTable('breakers')
    .set({ open_until: sql`now()` })
    .where('tenant_id', '=', job.tenantId)
    .returning('id')
    .executeTakeFirstOrThrow();
  await notify(ledger.db, CHANNELS.breakerHasChanged, id);
}

const rows = () =>
  ledger.db.selectFrom('breakers').selectAll().where('tenant_id', '=', job.tenantId).execute();

describe('calls that fail', () => {
  test('are not made any more, by whatever worker', async () => {
    const [one, other] = [startBreakers(), startBreakers()];
    await failFiveTimes(one.breakers);
    expect(await isHeld(one.breakers)).toBe(true);
    await waitUntil(() => isHeld(other.breakers), { until: 'the other worker has heard of it' });
    expect(await rows()).toMatchObject([
      { target: 'http://receiver.test', error_code: 'http_503', openings: 1 },
    ]);
    expect(one.counters.take()).toMatchObject([{ name: 'breakers_opened', label: 'http.request', by: 1 }]);
  });

  test('are known to a worker that starts later', async () => {
    await failFiveTimes(startBreakers().breakers);
    const { breakers } = startBreakers();
    await waitUntil(() => isHeld(breakers), { until: 'it has read what is open' });
  });

  test('are made to other origins, and by other tenants', async () => {
    const { breakers } = startBreakers();
    await failFiveTimes(breakers);
    expect(await isHeld(breakers, jobOf(job.tenantId, 'http://receiver.test:81/path'))).toBe(false);
    expect(await isHeld(breakers, jobOf(newUuid()))).toBe(false);
  });

  test('hold also those who waited for a slot meanwhile', async () => {
    const { breakers } = startBreakers();
    const waiting = await pass(breakers);
    expect(waiting.heldSince()).toBeUndefined();
    await failFiveTimes(breakers);
    expect(waiting.heldSince()).toMatchObject({ kind: 'held', forMs: expect.any(Number) });
  });

  test('that were under way when it was opened do not open it for longer', async () => {
    const { breakers } = startBreakers();
    const underWay = await Promise.all(Array.from({ length: 20 }, () => pass(breakers)));
    for (const passage of underWay) passage.ended(failed);
    await breakers.drain();
    expect(await rows()).toMatchObject([{ openings: 1 }]);
  });

  test('open it for all once, however many workers find it at the same time', async () => {
    const workers = Array.from({ length: 5 }, () => startBreakers().breakers);
    const underWay = await Promise.all(workers.flatMap((one) => Array.from({ length: 5 }, () => pass(one))));
    for (const passage of underWay) passage.ended(failed);
    await Promise.all(workers.map((one) => one.drain()));
    expect(await rows()).toMatchObject([{ openings: 1 }]);
  });
});

describe('when it has been open for a while', () => {
  test('one job of all workers tries, and if it is answered all may go', async () => {
    const [one, other] = [startBreakers().breakers, startBreakers().breakers];
    await failFiveTimes(one);
    await waitUntil(() => isHeld(other), { until: 'the other worker has heard of it' });
    await letTimePass();
    const trying = await passes(other);
    expect([await isHeld(one), await isHeld(other)]).toEqual([true, true]);
    trying.ended(answered);
    await other.drain();
    expect(await rows()).toEqual([]);
    await waitUntil(async () => !(await isHeld(one)), { until: 'the other worker has heard of it' });
    expect(await isHeld(other)).toBe(false);
  });

  test('and was closed while a worker could not hear of it, it is once that can', async () => {
    const { breakers: deaf } = startBreakers({ hears: false });
    await failFiveTimes(deaf);
    await closeBreaker(ledger.db, (await rows())[0]?.id ?? '');
    expect(await isHeld(deaf)).toBe(true);
    deaf.readAll();
    await deaf.drain();
    expect(await isHeld(deaf)).toBe(false);
  });

  test('and is not answered, nobody calls for longer', async () => {
    const { breakers } = startBreakers();
    await failFiveTimes(breakers);
    await letTimePass();
    (await passes(breakers)).ended(failed);
    await breakers.drain();
    expect(await isHeld(breakers)).toBe(true);
    expect(await rows()).toMatchObject([{ openings: 2, tried_until: null }]);
  });

  test('and does not get as far, another one tries', async () => {
    const { breakers } = startBreakers();
    await failFiveTimes(breakers);
    await letTimePass();
    (await passes(breakers)).ended(stopped);
    await breakers.drain();
    (await passes(breakers)).ended(answered);
    await breakers.drain();
    expect(await rows()).toEqual([]);
  });
});
