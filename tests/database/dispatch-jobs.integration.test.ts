import { claimJobs } from '@accepted/shared/database/claim-jobs';
import { dispatchJobs, queueDueJobs } from '@accepted/shared/database/dispatch-jobs';
import { insertJobs } from '@accepted/shared/database/insert-jobs';
import { recordOutcomes } from '@accepted/shared/database/record-outcomes';
import { newUuid } from '@accepted/shared/job/id';
import { makeJob } from '@accepted/testing/factories';
import { sql } from 'kysely';
import { describe, expect, test } from 'vitest';
import { succeed, useLedger, VERSIONS } from './ledger.ts';

const ledger = useLedger();

describe('dispatchJobs', () => {
  test('fills the window and no more, the oldest first', async () => {
    const tenantId = newUuid();
    const jobs = Array.from({ length: 5 }, () => makeJob({ tenantId }));
    await insertJobs(ledger.db, jobs);
    const first = await dispatchJobs(ledger.db, 'default', 3);
    expect(first).toMatchObject({
      moreToDo: true,
      jobs: jobs.slice(0, 3).map(({ id }) => ({ id, dispatchNo: 1 })),
    });
    expect(await dispatchJobs(ledger.db, 'default', 3)).toEqual({
      jobs: [],
      waitingBefore: 3,
      moreToDo: true,
    });
    await claimJobs(ledger.db, ledger.workerId, first.jobs);
    expect((await dispatchJobs(ledger.db, 'default', 3)).jobs.map((job) => job.id)).toEqual(
      jobs.slice(3).map((job) => job.id),
    );
  });

  test('dispatchers that race for a queue never dispatch a job twice', async () => {
    await insertJobs(
      ledger.db,
      Array.from({ length: 50 }, () => makeJob()),
    );
    const rounds = await Promise.all(
      Array.from({ length: 8 }, () => dispatchJobs(ledger.db, 'default', 1_000)),
    );
    const ids = rounds.flatMap((round) => round.jobs.map((job) => job.id));
    expect(ids).toHaveLength(50);
    expect(new Set(ids).size).toBe(50);
  });

  test('a small tenant does not wait behind a large one', async () => {
    const [large, small] = [newUuid(), newUuid()];
    await insertJobs(
      ledger.db,
      Array.from({ length: 100 }, () => makeJob({ tenantId: large })),
    );
    const late = await ledger.insertOne({ tenantId: small });
    const { jobs } = await dispatchJobs(ledger.db, 'default', 4);
    expect(jobs.map((job) => job.id)).toContain(late.id);
  });

  test('no more jobs of a concurrency key are let through than its limit, and others pass them', async () => {
    const tenantId = newUuid();
    const limited = { tenantId, concurrencyKey: 'account-7', concurrencyLimit: 2 };
    await insertJobs(
      ledger.db,
      Array.from({ length: 20 }, () => makeJob(limited)),
    );
    const free = await ledger.insertOne({ tenantId });
    const first = await dispatchJobs(ledger.db, 'default', 5);
    expect(first).toMatchObject({ jobs: [{}, {}], moreToDo: true });
    expect(await dispatchJobs(ledger.db, 'default', 5)).toMatchObject({
      jobs: [{ id: free.id }],
      moreToDo: false,
    });
    const [claimed] = await claimJobs(ledger.db, ledger.workerId, first.jobs.slice(0, 1));
    expect((await dispatchJobs(ledger.db, 'default', 5)).jobs).toEqual([]);
    if (claimed) await recordOutcomes(ledger.db, [{ job: claimed, outcome: succeed }], VERSIONS);
    expect((await dispatchJobs(ledger.db, 'default', 5)).jobs).toHaveLength(1);
  });

  test('a due job is queued and a later one is not', async () => {
    const due = await ledger.insertOne({ delayMs: 60_000 });
    const later = await ledger.insertOne({ delayMs: 60_000 });
    await sql`UPDATE jobs SET run_at = now() WHERE id = ${due.id}`.execute(ledger.db);
    expect(await queueDueJobs(ledger.db, 100)).toEqual(['default']);
    expect([(await ledger.readJob(due.id)).status, (await ledger.readJob(later.id)).status]).toEqual([
      'queued',
      'scheduled',
    ]);
  });
});
