import { publicId } from '@accepted/shared/core/job/id';
import { isTerminal, type JobStatus, TRANSITIONS } from '@accepted/shared/core/job/status';
import type { Database } from '@accepted/shared/ledger/connection/connect';
import type { JobRow } from '@accepted/shared/ledger/jobs/jobs-tables';
import { findMisplacedJobs } from '@accepted/shared/ledger/jobs/misplaced-jobs';
import { registerTestBuild } from '@accepted/testing/test-build';
import { createTestDatabase, type TestDatabase } from '@accepted/testing/test-database';
import { findWrongBacklogs } from '@accepted/testing/wrong-backlogs';
import fc from 'fast-check';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type LedgerEvent, LIVES, ledgerEvent } from './model/ledger-events.ts';
import { apply, comparePicture, startWorld, type World } from './model/ledger-world.ts';

const RUNS = 60;
const EVENTS = 60;
const TIMEOUT_MS = 120_000;

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
  await registerTestBuild(database.db);
});
afterAll(async () => await database.drop());

test(
  'whatever happens in whatever order, the ledger does what the table of transitions says',
  async () => {
    const reached = new Set<string>();
    const happened = new Set<string>();
    const happenedBesideBlocked = new Set<string>();
    await fc.assert(
      fc.asyncProperty(
        fc.array(ledgerEvent, { minLength: EVENTS / 2, maxLength: EVENTS }),
        async (events) => {
          const world = await startWorld(database.db);
          let before = new Map<string, JobRow>();
          for (const event of events) {
            await apply(world, event);
            const after = await readJobs(database.db);
            checkInvariants(before, after, event);
            expect(await findMisplacedJobs(database.db)).toEqual([]);
            expect(await findWrongBacklogs(database.db)).toEqual([]);
            for (const [id, row] of after) reached.add(`${before.get(id)?.status ?? 'new'} ${row.status}`);
            await compare(world, after);
            await comparePicture(world);
            happened.add(event.kind);
            if (await isAnyBlocked(database.db)) happenedBesideBlocked.add(event.kind);
            before = after;
          }
        },
      ),
      { numRuns: RUNS, examples: LIVES.map((events) => [events]) },
    );

    // A run that does not reach a transition has not tested it.
    const legal = Object.entries(TRANSITIONS).flatMap(([from, events]) =>
      Object.values(events).map((to) => `${from} ${to}`),
    );
    expect(legal.filter((transition) => !reached.has(transition))).toEqual([]);
    expect(happenedBesideBlocked, 'what happened while a job was blocked').toEqual(happened);
  },
  TIMEOUT_MS,
);

async function isAnyBlocked(db: Database): Promise<boolean> {
  return (await db.selectFrom('blocked').select('job_id').limit(1).execute()).length > 0;
}

async function readJobs(db: Database): Promise<Map<string, JobRow>> {
  const rows = await db.selectFrom('current_jobs').selectAll().execute();
  return new Map(rows.map((row) => [row.id, row]));
}

function checkInvariants(before: Map<string, JobRow>, after: Map<string, JobRow>, event: LedgerEvent): void {
  for (const [id, row] of after) {
    expect(row.attempts_made).toBeLessThanOrEqual(row.max_attempts);
    expect(row.attempts_made).toBeGreaterThanOrEqual(0);
    const earlier = before.get(id);
    if (!earlier) continue;
    expect(row.attempt).toBeGreaterThanOrEqual(earlier.attempt);
    expect(row.dispatch_no).toBeGreaterThanOrEqual(earlier.dispatch_no);
    if (row.status !== earlier.status) {
      expect(row.version).toBeGreaterThan(earlier.version);
      expect(statusesAfter(earlier.status)).toContain(row.status);
      if (isTerminal(earlier.status)) expect(event.kind).toBe('replay');
    }
    expect(row.finished_at !== null).toBe(isTerminal(row.status));
  }
}

function statusesAfter(status: JobStatus): JobStatus[] {
  return Object.values(TRANSITIONS[status]);
}

/** Compares every job with the model, and what was written beside it: attempts, dead letters and audit rows. */
async function compare({ db, jobs }: World, rows: Map<string, JobRow>): Promise<void> {
  const beside = await readBeside(db);
  const audited = await countAudited(db);
  for (const job of jobs) {
    const row = rows.get(job.id);
    const written = beside.get(job.id);
    expect({
      status: row?.status,
      token: row?.attempt,
      attemptsMade: row?.attempts_made,
      suspect: row?.suspect,
      losses: row?.losses,
      replayRound: row?.replay_round,
      dispatchNo: row?.dispatch_no,
      dispatched: row?.status === 'queued' && row.dispatched_at !== null,
      cancelRequested: row?.cancel_requested_at !== null,
      workerId: row?.status === 'running' ? row.worker_id : null,
      recorded: written?.tokens,
      openLetters: written?.openLetters,
      acts: { replayed: written?.replayed, discarded: written?.discarded },
      audited: audited.get(publicId('job', job.id)) ?? 0,
    }).toEqual({
      status: job.status,
      token: job.token,
      attemptsMade: job.attemptsMade,
      suspect: job.suspect,
      losses: job.losses,
      replayRound: job.replayRound,
      dispatchNo: job.dispatchNo,
      dispatched: job.status === 'queued' && job.dispatched,
      cancelRequested: job.cancelRequested,
      workerId: job.workerId,
      recorded: job.recorded,
      openLetters: job.letterIsOpen ? 1 : 0,
      acts: job.acts,
      audited: job.acts.replayed + job.acts.discarded,
    });
  }
}

interface Beside {
  id: string;
  tokens: number[];
  openLetters: number;
  replayed: number;
  discarded: number;
}

async function readBeside(db: Database): Promise<Map<string, Beside>> {
  const { rows } = await sql<Beside>`
    SELECT id,
      ARRAY(SELECT attempt FROM attempts WHERE job_id = jobs.id AND outcome IS NOT NULL ORDER BY attempt) AS tokens,
      letters.*
    FROM jobs CROSS JOIN LATERAL (
      SELECT count(*) FILTER (WHERE resolution IS NULL)::int AS "openLetters",
        count(*) FILTER (WHERE resolution = 'replayed')::int AS replayed,
        count(*) FILTER (WHERE resolution = 'discarded')::int AS discarded
      FROM dead_letters WHERE job_id = jobs.id) AS letters`.execute(db);
  return new Map(rows.map((row) => [row.id, row]));
}

/** By the public id of the job. */
async function countAudited(db: Database): Promise<Map<string, number>> {
  const { rows } = await sql<{ jobId: string; acts: number }>`
    SELECT detail ->> 'jobId' AS "jobId", count(*)::int AS acts FROM audit_log GROUP BY 1`.execute(db);
  return new Map(rows.map(({ jobId, acts }) => [jobId, acts]));
}
