import { newUuid } from '@accepted/shared/core/job/id';
import { breakerTargetOf } from '@accepted/shared/core/outbound/breaker-target';
import { DELIVERY_QUEUE, DELIVERY_TYPE, serverKey } from '@accepted/shared/core/webhook/event';
import { dispatchJobs } from '@accepted/shared/ledger/jobs/dispatch-jobs';
import { insertJobs } from '@accepted/shared/ledger/jobs/insert-jobs';
import { closeBreaker, openBreaker } from '@accepted/shared/ledger/outbound/breakers';
import { holdWaitingWebhooks, letHeldJobsGo } from '@accepted/shared/ledger/outbound/held-jobs';
import { makeJob } from '@accepted/testing/factories';
import { registerTestBuild, testLane } from '@accepted/testing/test-build';
import { sql } from 'kysely';
import { beforeEach, expect, test } from 'vitest';
import { useLedger } from './ledger.ts';

const ledger = useLedger();
const SECONDS = { first: 10, most: 300 };
const LINE = { standing: 0, perSecond: 5, mostSeconds: 600 };
const AWAY = 'https://receiver.test/away';

let tenantId: string;
beforeEach(async () => {
  tenantId = newUuid();
  await registerTestBuild(ledger.db, [DELIVERY_TYPE]);
});

/** Has webhooks to a URL wait for a slot of their server; the first one has it. */
async function wait(count: number, url: string): Promise<string[]> {
  const concurrencyKey = serverKey(url);
  const jobs = Array.from({ length: count }, () =>
    makeJob({
      ...{ tenantId, type: DELIVERY_TYPE, queue: DELIVERY_QUEUE, concurrencyKey, concurrencyLimit: 1 },
      payloadJson: JSON.stringify({ url }),
    }),
  );
  await insertJobs(ledger.db, jobs);
  for (let hasMore = true; hasMore; )
    hasMore = (await dispatchJobs(ledger.db, DELIVERY_QUEUE, testLane(100))).moreToDo;
  return jobs.map(({ id }) => id);
}

async function open(url = AWAY) {
  const target = breakerTargetOf({ tenantId, type: DELIVERY_TYPE, payload: { url } });
  if (!target) throw new Error(`${url} is not called.`);
  await openBreaker(ledger.db, target, { errorCode: 'http_503', seconds: SECONDS });
  return target;
}

async function held() {
  const { rows } = await sql<{ jobId: string; status: string; inMs: number }>`
    SELECT job_id AS "jobId", status, (extract(epoch FROM run_at - now()) * 1000)::float8 AS "inMs" FROM due
    WHERE tenant_id = ${tenantId} AND held_by IS NOT NULL ORDER BY run_at`.execute(ledger.db);
  return rows;
}

test('those that wait for slots wait for the breaker, and come back one after the other', async () => {
  const [, ...waiting] = await wait(7, AWAY);
  const target = await open();
  expect(await holdWaitingWebhooks(ledger.db, target, { line: LINE, limit: 4 })).toBe(4);
  const line = { ...LINE, standing: 4 };
  expect(await holdWaitingWebhooks(ledger.db, target, { line, limit: 4 })).toBe(2);
  const jobs = await held();
  expect(new Set(jobs.map(({ jobId }) => jobId))).toEqual(new Set(waiting));
  expect(new Set(jobs.map(({ status }) => status))).toEqual(new Set(['scheduled']));
  for (const [place, { inMs }] of jobs.entries()) {
    expect(inMs).toBeGreaterThan(9_000 + place * 200);
    expect(inMs).toBeLessThan(10_300 + place * 200);
  }
});

test('those to another endpoint of the server, or of another tenant, wait for their slots', async () => {
  await wait(1, AWAY);
  const same = await wait(1, `${AWAY}?with=query`);
  await wait(1, `${AWAY}/further`);
  await wait(1, 'https://receiver.test/there');
  const target = await open();
  tenantId = newUuid();
  await wait(2, AWAY);
  tenantId = target.tenantId;
  expect(await holdWaitingWebhooks(ledger.db, target, { line: LINE, limit: 100 })).toBe(1);
  expect((await held()).map(({ jobId }) => jobId)).toEqual(same);
});

test('none is held by a breaker that is closed, and those that were are due at once', async () => {
  await wait(4, AWAY);
  const target = await open();
  expect(await holdWaitingWebhooks(ledger.db, target, { line: LINE, limit: 2 })).toBe(2);
  await closeBreaker(ledger.db, target.id);
  expect(await holdWaitingWebhooks(ledger.db, target, { line: LINE, limit: 2 })).toBe(0);
  expect(await letHeldJobsGo(ledger.db, target.id, 100)).toEqual({ jobs: 2, queues: [DELIVERY_QUEUE] });
  expect(await held()).toEqual([]);
});
