import type { Outcome } from '@accepted/shared/core/job/decide-outcome';
import { replayDeadLetter } from '@accepted/shared/ledger/dead-letters/dead-letters';
import { claimJobs } from '@accepted/shared/ledger/jobs/claim-jobs';
import { dispatchJobs } from '@accepted/shared/ledger/jobs/dispatch-jobs';
import { type EndedAttempt, recordOutcomes } from '@accepted/shared/ledger/jobs/record-outcomes';
import { listOrphanedJobs } from '@accepted/shared/ledger/jobs/rescue-jobs';
import { markLostWorkers, removeWorker } from '@accepted/shared/ledger/workers/workers';
import { testLane } from '@accepted/testing/test-build';
import { sql } from 'kysely';
import { describe, expect, test } from 'vitest';
import { useLedger, VERSIONS } from './ledger.ts';

const ledger = useLedger();
const error = { code: 'worker_lost', message: 'gone', retryable: true };
const lost: Outcome = { kind: 'release', suspect: true, loss: error };

async function claimMany(count: number) {
  const claimed: Awaited<ReturnType<typeof ledger.claimOne>>[] = [];
  for (let n = 0; n < count; n += 1) claimed.push(await ledger.claimOne());
  return claimed;
}

const end = (job: EndedAttempt['job'], outcome: Outcome) =>
  recordOutcomes(ledger.db, [{ job, outcome }], VERSIONS);

/** Has the worker be silent, and another one that may end its lease. */
async function readyToLose(): Promise<{ rescuerId: string; leaseMs: number; heartbeatMs: number }> {
  const rescuerId = await ledger.startWorker();
  await sql`UPDATE workers SET steady_since = now() - interval '1 h' WHERE id = ${rescuerId}`.execute(
    ledger.db,
  );
  await sql`UPDATE workers SET heartbeat_at = now() - interval '1 h' WHERE id = ${ledger.workerId}`.execute(
    ledger.db,
  );
  return { rescuerId, leaseMs: 15_000, heartbeatMs: 3_000 };
}

describe('how many jobs a lost worker ran', () => {
  test('is known for each of them, however few are listed at a time and however many were rescued before', async () => {
    const [first] = await claimMany(3);
    await ledger.loseWorker(ledger.workerId);
    const [one] = await listOrphanedJobs(ledger.db, 1);
    expect(one).toMatchObject({ runningWhenLost: 3 });
    if (first) await end(first, lost);
    const rest = await listOrphanedJobs(ledger.db, 200);
    expect(rest.map(({ runningWhenLost }) => runningWhenLost)).toEqual([3, 3]);
    const [second] = rest;
    if (second) await end({ ...second, type: 'test.noop' }, lost);
    expect(await listOrphanedJobs(ledger.db, 200)).toMatchObject([{ runningWhenLost: 3 }]);
  });

  test('is one for a job that ran alone', async () => {
    const [done] = await claimMany(2);
    if (done) await end(done, { kind: 'succeed', resultJson: '1' });
    await ledger.loseWorker(ledger.workerId);
    expect(await listOrphanedJobs(ledger.db, 200)).toMatchObject([{ runningWhenLost: 1 }]);
  });

  test('includes a job whose claim is committed while the lease ends, and none is claimed after it', async () => {
    await claimMany(1);
    const rescuer = await readyToLose();
    await ledger.insertOne();
    const { jobs: late } = await dispatchJobs(ledger.db, 'default', testLane(10));
    await ledger.db.transaction().execute(async (tx) => {
      expect(await claimJobs(tx, ledger.workerId, late)).toMatchObject([{ attempt: 1 }]);
      // It has claimed, and nobody can see that yet: the lease must not end now.
      expect(await markLostWorkers(ledger.db, rescuer)).toEqual([]);
    });
    expect(await markLostWorkers(ledger.db, rescuer)).toEqual([ledger.workerId]);
    expect(await listOrphanedJobs(ledger.db, 200)).toMatchObject([
      { runningWhenLost: 2 },
      { runningWhenLost: 2 },
    ]);
    await ledger.insertOne();
    const { jobs: later } = await dispatchJobs(ledger.db, 'default', testLane(10));
    expect(await claimJobs(ledger.db, ledger.workerId, later)).toEqual([undefined]);
  });

  test('is counted when somebody ended its lease without doing so, and unknown of a worker that is gone', async () => {
    await claimMany(2);
    await sql`UPDATE workers SET lost_at = now() WHERE id = ${ledger.workerId}`.execute(ledger.db);
    expect(await listOrphanedJobs(ledger.db, 1)).toMatchObject([{ runningWhenLost: 2 }]);
    await removeWorker(ledger.db, ledger.workerId);
    expect(await listOrphanedJobs(ledger.db, 1)).toMatchObject([{ runningWhenLost: null }]);
  });
});

describe('a job that was lost with others', () => {
  async function suspect() {
    const job = await ledger.claimOne({ maxAttempts: 2 });
    await end(job, lost);
    return job;
  }

  async function claimAgain() {
    const { jobs } = await dispatchJobs(ledger.db, 'default', testLane(10));
    const [claimed] = await claimJobs(ledger.db, ledger.workerId, jobs);
    if (!claimed) throw new Error('The job could not be claimed.');
    return claimed;
  }

  test('waits again at once as a suspect, its loss counted and not its attempt, and the attempt says so', async () => {
    const { id } = await suspect();
    expect(await ledger.readJob(id)).toMatchObject({
      status: 'queued',
      suspect: true,
      losses: 1,
      attempts_made: 0,
      error: null,
    });
    const attempts = ledger.db.selectFrom('attempts').select(['outcome', 'error']).where('job_id', '=', id);
    expect(await attempts.execute()).toEqual([{ outcome: 'released', error }]);
    expect(await claimAgain()).toMatchObject({ id, suspect: true, attempt: 2, attemptsMade: 1 });
  });

  test('is accused when a process died with it that others had used, and not when its worker died', async () => {
    await suspect();
    await end(await claimAgain(), lost);
    const claimed = await claimAgain();
    expect(claimed).toMatchObject({ suspect: true, accused: false });
    await end(claimed, { ...lost, loss: { ...error, code: 'handler_exited' } });
    expect(await claimAgain()).toMatchObject({ suspect: true, accused: true });
  });

  test.each<[string, Outcome]>([
    ['succeeds', { kind: 'succeed', resultJson: '1' }],
    ['fails otherwise', { kind: 'retry', delayMs: 0, error: { ...error, code: 'handler_error' } }],
  ])('is cleared when it %s', async (_, outcome) => {
    const { id } = await suspect();
    await end(await claimAgain(), outcome);
    expect(await ledger.readJob(id)).toMatchObject({ suspect: false, losses: 1 });
  });

  test.each<[string, Outcome]>([
    ['is given back by a shutdown', { kind: 'release' }],
    ['ends its own process', { kind: 'retry', delayMs: 0, error, suspect: true }],
  ])('stays a suspect when it %s', async (_, outcome) => {
    const { id } = await suspect();
    await end(await claimAgain(), outcome);
    expect(await ledger.readJob(id)).toMatchObject({ suspect: true });
  });

  test('stays a suspect when it is replayed as poison, and its losses are counted anew', async () => {
    const { id } = await suspect();
    await end(await claimAgain(), { kind: 'deadLetter', reason: 'poison', error, suspect: true });
    const letter = await ledger.db.selectFrom('dead_letters').select('id').executeTakeFirstOrThrow();
    await replayDeadLetter(ledger.db, letter.id, { actor: 'test', reason: 'test' });
    expect(await ledger.readJob(id)).toMatchObject({ status: 'queued', suspect: true, losses: 0 });
  });
});
