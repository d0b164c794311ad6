import { newUuid } from '@accepted/shared/core/job/id';
import type { NewJob } from '@accepted/shared/core/job/new-job';
import { DELIVERY_QUEUE } from '@accepted/shared/core/webhook/event';
import { insertJobs, insertJobsWithinBounds } from '@accepted/shared/ledger/jobs/insert-jobs';
import { countBacklogs, foldBacklogs } from '@accepted/shared/ledger/limits/backlogs';
import { makeJob } from '@accepted/testing/factories';
import { findWrongBacklogs } from '@accepted/testing/wrong-backlogs';
import { sql } from 'kysely';
import { beforeAll, beforeEach, expect, test } from 'vitest';
import { useLedger } from './ledger.ts';

const ledger = useLedger();
const [bounded, free] = [newUuid(), newUuid()];
const BOUNDS = ['of all who write here'];

beforeAll(async () => {
  for (const id of [bounded, free])
    await sql`INSERT INTO tenants (id, name, webhook_secret) VALUES (${id}, ${id}, '')`.execute(ledger.db);
  for (const name of ['default', 'second', DELIVERY_QUEUE])
    await sql`INSERT INTO queues (name) VALUES (${name}) ON CONFLICT DO NOTHING`.execute(ledger.db);
});
beforeEach(async () => {
  await sql`TRUNCATE jobs, ready, idempotency_keys`.execute(ledger.db);
  await countBacklogs(ledger.db);
  await layDown({});
});

async function layDown(
  { queue = null, perTenant = null, tenant = null } = {} as Record<string, number | null>,
) {
  await sql`UPDATE queues SET max_backlog = ${queue}, max_backlog_per_tenant = ${perTenant}`.execute(
    ledger.db,
  );
  await sql`UPDATE tenants SET max_backlog = ${tenant} WHERE id = ${bounded}`.execute(ledger.db);
}

const jobs = (count: number, overrides: Partial<NewJob> = {}) =>
  Array.from({ length: count }, () => makeJob({ tenantId: bounded, queue: 'default', ...overrides }));

async function write(batch: NewJob[]) {
  const answers = await insertJobsWithinBounds(ledger.db, batch, { bounds: BOUNDS });
  return answers.map((answer) => (answer.kind === 'full' ? answer.bound : answer.kind));
}

const times = <Of>(count: number, what: Of) => Array.from({ length: count }, () => what);

test.each([
  ['queue', { queue: 7 }],
  ['tenant', { tenant: 7 }],
  ['tenant_in_queue', { perTenant: 7 }],
] as const)('into a %s comes what there is room for, in the order in which it came', async (bound, rules) => {
  await layDown(rules);
  await insertJobs(ledger.db, jobs(2));
  await foldBacklogs(ledger.db);
  await insertJobs(ledger.db, jobs(1));
  expect(await write(jobs(6))).toEqual([...times(4, 'created'), bound, bound]);
  const [answer] = await insertJobsWithinBounds(ledger.db, jobs(1), { bounds: BOUNDS });
  expect(answer).toEqual({ kind: 'full', bound, jobs: 7, most: 7 });
  expect(await findWrongBacklogs(ledger.db)).toEqual([]);
});

test('whom another bound refuses takes no room of a queue', async () => {
  await layDown({ queue: 10, tenant: 5, perTenant: 3 });
  const batch = [...jobs(5), ...jobs(3, { queue: 'second' }), ...jobs(9, { tenantId: free })];
  expect(await write(batch)).toEqual([
    ...[...times(3, 'created'), ...times(2, 'tenant_in_queue')],
    ...[...times(2, 'created'), 'tenant'],
    ...[...times(3, 'created'), ...times(6, 'tenant_in_queue')],
  ]);
});

test('deliveries of webhooks do not count for a tenant', async () => {
  await layDown({ tenant: 1 });
  await insertJobs(ledger.db, jobs(5, { queue: DELIVERY_QUEUE }));
  expect(await write(jobs(2))).toEqual(['created', 'tenant']);
});

test('many who write at once let no more in than may be', async () => {
  await layDown({ queue: 40 });
  const answers = await Promise.all(Array.from({ length: 20 }, () => write(jobs(5))));
  expect(answers.flat().filter((answer) => answer === 'created')).toHaveLength(40);
});

test('where the count was lost all is counted first', async () => {
  await layDown({ queue: 5 });
  await insertJobs(ledger.db, jobs(4));
  await sql`TRUNCATE backlogs, backlog_changes, backlogs_counted`.execute(ledger.db);
  const answers = await Promise.all([write(jobs(3)), write(jobs(3))]);
  expect(answers.flat().toSorted()).toEqual(['created', ...times(5, 'queue')]);
});

test('of a key whose job does not fit nothing is written, and the next one with it is the first', async () => {
  await layDown({ queue: 1 });
  const idempotency = { route: 'POST /v1/jobs', key: 'k', fingerprint: Buffer.from('one'), status: 202 };
  const same = () => jobs(1, { idempotency })[0] as NewJob;
  expect(await write([...jobs(1), same(), same()])).toEqual(['created', 'queue', 'queue']);
  await layDown({ queue: 9 });
  expect(await write([same(), same()])).toEqual(['created', 'replayed']);
  expect(await write([same()])).toEqual(['replayed']);
});

test('a batch whose answer was lost is written once', async () => {
  await layDown({ queue: 3 });
  const batch = jobs(2);
  expect(await write(batch)).toEqual(['created', 'created']);
  expect(await write([...batch, ...jobs(1)])).toEqual(['created', 'created', 'created']);
});
