import { newUuid } from '@accepted/shared/core/job/id';
import type { NewJob } from '@accepted/shared/core/job/new-job';
import { DELIVERY_QUEUE } from '@accepted/shared/core/webhook/event';
import { replayDeadLetter } from '@accepted/shared/ledger/dead-letters/dead-letters';
import { cancelJob, expireJobs } from '@accepted/shared/ledger/jobs/cancel-jobs';
import { insertJobs } from '@accepted/shared/ledger/jobs/insert-jobs';
import { recordOutcomes } from '@accepted/shared/ledger/jobs/record-outcomes';
import { countBacklogs, foldBacklogs, readBacklogs } from '@accepted/shared/ledger/limits/backlogs';
import { makeJob } from '@accepted/testing/factories';
import { findWrongBacklogs } from '@accepted/testing/wrong-backlogs';
import { sql } from 'kysely';
import { beforeAll, beforeEach, expect, test } from 'vitest';
import { succeed, useLedger, VERSIONS } from './ledger.ts';

const ledger = useLedger();
const [ours, theirs] = [newUuid(), newUuid()];

beforeAll(async () => {
  for (const id of [ours, theirs])
    await sql`INSERT INTO tenants (id, name, webhook_secret, max_backlog) VALUES (${id}, ${id}, '', ${id === ours ? 7 : null})`.execute(
      ledger.db,
    );
  for (const name of ['default', 'second', DELIVERY_QUEUE])
    await sql`INSERT INTO queues (name) VALUES (${name}) ON CONFLICT DO NOTHING`.execute(ledger.db);
});
beforeEach(() => countBacklogs(ledger.db));

async function insert(count: number, overrides: Partial<NewJob> = {}): Promise<string[]> {
  const jobs = Array.from({ length: count }, () => makeJob({ tenantId: ours, ...overrides }));
  await insertJobs(ledger.db, jobs);
  return jobs.map(({ id }) => id);
}

const expectRight = async () => expect(await findWrongBacklogs(ledger.db)).toEqual([]);

test('whatever jobs do, as many are counted as live', async () => {
  const [first = '', second = ''] = await insert(4);
  await insert(3, { tenantId: theirs, queue: 'second' });
  await insert(2, { delayMs: 60_000 });
  await insertJobs(ledger.db, [makeJob({ tenantId: ours }), makeJob({ tenantId: theirs, queue: 'second' })]);
  await expectRight();
  await foldBacklogs(ledger.db);
  await expectRight();

  await cancelJob(ledger.db, ours, first);
  await sql`UPDATE ready SET expires_at = now() - interval '1 s' WHERE job_id = ${second}`.execute(ledger.db);
  await expireJobs(ledger.db, 10);
  await expectRight();

  const error = { code: 'x', message: 'x', retryable: true };
  const webhook = { url: 'https://example.com', events: ['job.failed' as const] };
  const jobs = [
    await ledger.claimOne({ tenantId: ours }),
    await ledger.claimOne({ tenantId: ours }),
    await ledger.claimOne({ tenantId: ours }),
    await ledger.claimOne({ tenantId: ours, webhook }),
  ];
  await expectRight();
  const outcomes = [
    succeed,
    { kind: 'retry', delayMs: 0, error } as const,
    { kind: 'release' } as const,
    { kind: 'deadLetter', reason: 'permanent_error', error } as const,
  ];
  const ended = jobs.flatMap((job, place) => ({ job, outcome: outcomes[place] ?? succeed }));
  await recordOutcomes(ledger.db, ended, VERSIONS);
  await expectRight();
  await recordOutcomes(ledger.db, ended, VERSIONS);
  await expectRight();

  const letter = await ledger.db.selectFrom('dead_letters').select('id').executeTakeFirstOrThrow();
  await replayDeadLetter(ledger.db, letter.id, { actor: 'test', reason: 'test' });
  await replayDeadLetter(ledger.db, letter.id, { actor: 'test', reason: 'test' });
  await expectRight();
  await foldBacklogs(ledger.db);
  await expectRight();
});

test('an idempotency key counts its job once', async () => {
  const idempotency = { route: 'POST /v1/jobs', key: 'key', fingerprint: Buffer.alloc(32) };
  for (let times = 0; times < 3; times += 1)
    await insertJobs(ledger.db, [makeJob({ tenantId: ours, idempotency })]);
  expect(await ledger.db.selectFrom('ready').select('job_id').execute()).toHaveLength(1);
  await expectRight();
});

test('what was lost is counted anew, beside jobs that come and others who count and fold', async () => {
  await insert(200);
  await sql`TRUNCATE backlogs, backlog_changes, backlogs_counted`.execute(ledger.db);
  expect(await readBacklogs(ledger.db, [])).toMatchObject({ isCounted: false });
  let isOver = false;
  const come = async (): Promise<void> => {
    while (!isOver) await insert(3, { tenantId: theirs, queue: 'second' });
  };
  const fold = async (): Promise<void> => {
    while (!isOver) await foldBacklogs(ledger.db);
  };
  const beside = [come(), come(), fold(), fold()];
  for (let times = 0; times < 20; times += 1)
    await Promise.all([countBacklogs(ledger.db), countBacklogs(ledger.db)]);
  isOver = true;
  await Promise.all(beside);
  await expectRight();
});

test('bounds are read with what they are for', async () => {
  await sql`UPDATE queues SET max_backlog = 5, max_backlog_per_tenant = 3 WHERE name = 'second'`.execute(
    ledger.db,
  );
  await insert(2, { queue: 'second' });
  const { queues, tenants, boundedTenants } = await readBacklogs(ledger.db, [ours, theirs, newUuid()]);
  expect(boundedTenants).toEqual([ours]);
  expect(queues).toContainEqual({ queue: 'second', jobs: 2, maxBacklog: 5, maxBacklogPerTenant: 3 });
  expect(queues).toContainEqual({
    queue: 'default',
    jobs: 0,
    maxBacklog: 1_000_000,
    maxBacklogPerTenant: null,
  });
  expect(tenants).toEqual([
    { tenantId: ours, jobs: 2, maxBacklog: 7, queues: [{ queue: 'second', jobs: 2 }] },
    { tenantId: theirs, jobs: 0, maxBacklog: null, queues: [] },
  ]);
});
