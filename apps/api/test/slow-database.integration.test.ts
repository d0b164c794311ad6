import { setTimeout as delay } from 'node:timers/promises';
import type { Priority } from '@accepted/shared/core/job/priority';
import { waitUntil } from '@accepted/testing/wait-until';
import type { LightMyRequestResponse } from 'fastify';
import { sql } from 'kysely';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { type ApiUnderTest, startApi } from './api-under-test.ts';

const LEAST = 10;

let api: ApiUnderTest;
beforeAll(async () => {
  const bounds = { writing: { least: LEAST, most: 60 } };
  api = await startApi({ DATABASE_LATENCY_BUDGET_MS: '50' }, undefined, bounds);
  await sql`CREATE FUNCTION take_long() RETURNS trigger LANGUAGE plpgsql
    AS 'BEGIN PERFORM pg_sleep(0.2); RETURN NULL; END'`.execute(api.db);
});
afterEach(() => makeQuick());
afterAll(() => api[Symbol.asyncDispose]());

/** Has each batch of new jobs take 200 ms, whatever is in it. */
const makeSlow = () =>
  sql`CREATE TRIGGER take_long BEFORE INSERT ON jobs FOR EACH STATEMENT EXECUTE FUNCTION take_long()`.execute(
    api.db,
  );
const makeQuick = () => sql`DROP TRIGGER IF EXISTS take_long ON jobs`.execute(api.db);

const submit = (priority: Priority) =>
  api.send('POST', '/v1/jobs', { body: { type: 'test.echo', payload: {}, priority } });

/** Clients each of which sends another job once it is answered, and a moment after it was refused. */
function sendOnAndOn(clients: number, priority: Priority) {
  const replies: LightMyRequestResponse[] = [];
  let goesOn = true;
  const sending = Array.from({ length: clients }, async () => {
    while (goesOn) {
      const reply = await submit(priority);
      replies.push(reply);
      if (reply.statusCode !== 202) await delay(50);
    }
  });
  const counted = (status: number) => replies.filter(({ statusCode }) => statusCode === status).length;
  return {
    accepted: () => counted(202),
    refused: () => replies.filter(({ statusCode }) => statusCode !== 202),
    async stop() {
      goesOn = false;
      await Promise.all(sending);
    },
  };
}

test('while Postgres is slow what is low is refused, and what is critical is not; once it is quick nothing is any more', async () => {
  await makeSlow();
  const low = sendOnAndOn(50, 'low');
  const critical = sendOnAndOn(4, 'critical');
  await waitUntil(() => low.refused().length > 100 && critical.accepted() > 20, {
    until: 'the low ones are refused',
  });
  const before = low.accepted();
  await waitUntil(() => low.accepted() > before, { until: 'some of them go on' });
  await low.stop();
  await critical.stop();
  expect(critical.refused()).toEqual([]);
  for (const reply of low.refused()) {
    expect(reply.headers['retry-after']).toMatch(/^[1-9]\d*$/);
    expect(reply.json()).toMatchObject({
      ...{ status: 503, code: 'dependency_slow', violatedPolicies: ['database-latency'] },
    });
  }

  await makeQuick();
  await waitUntil(
    async () => {
      const replies = await Promise.all(Array.from({ length: 50 }, () => submit('low')));
      return replies.every(({ statusCode }) => statusCode === 202);
    },
    { until: 'all are accepted' },
  );
});

test('a few at a time are not refused, however slow it is', async () => {
  await makeSlow();
  const few = sendOnAndOn(LEAST - 2, 'low');
  await waitUntil(() => few.accepted() > 5 * LEAST, { until: 'it has been slow for a while' });
  await few.stop();
  expect(few.refused()).toEqual([]);
});
