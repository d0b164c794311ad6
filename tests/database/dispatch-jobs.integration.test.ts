import { claimJobs } from '@accepted/shared/database/claim-jobs';
import type { Database } from '@accepted/shared/database/connect';
import { dispatchJobs } from '@accepted/shared/database/dispatch-jobs';
import { queueDueJobs } from '@accepted/shared/database/due-jobs';
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
      lost: false,
      round: 1,
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

  test('who looked in an older round marks nothing, and is told that the turn was lost', async () => {
    await ledger.insertOne();
    const taken = await ledger.db.transaction().execute(async (other) => {
      expect((await dispatchJobs(other, 'default', 10)).jobs).toHaveLength(1);
      const late = dispatchJobs(ledger.db, 'default', 10);
      await untilOneWaits(ledger.db);
      return { late };
    });
    expect(await taken.late).toMatchObject({ jobs: [], lost: true, moreToDo: true });
  });

  test('what has room is marked in the order of priority', async () => {
    const [low, high] = [await ledger.insertOne({ priority: 4 }), await ledger.insertOne({ priority: 0 })];
    const { jobs } = await dispatchJobs(ledger.db, 'default', 10);
    expect(jobs.map((job) => job.id)).toEqual([high.id, low.id]);
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

/** Resolves when a statement waits for the lock of another transaction. */
async function untilOneWaits(db: Database): Promise<void> {
  await expect
    .poll(async () => {
      const { rows } = await sql`SELECT FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock'`.execute(db);
      return rows.length;
    })
    .toBe(1);
}
