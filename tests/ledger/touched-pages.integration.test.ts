import type { QueuePicture } from '@accepted/shared/core/fairness/queue-picture';
import { newUuid } from '@accepted/shared/core/job/id';
import type { NewJob } from '@accepted/shared/core/job/new-job';
import { type Database, openDatabase } from '@accepted/shared/ledger/connection/connect';
import { expireJobs } from '@accepted/shared/ledger/jobs/cancel-jobs';
import { claimJobs } from '@accepted/shared/ledger/jobs/claim-jobs';
import { dispatchJobs } from '@accepted/shared/ledger/jobs/dispatch-jobs';
import { queueDueJobs } from '@accepted/shared/ledger/jobs/due-jobs';
import { insertJobs } from '@accepted/shared/ledger/jobs/insert-jobs';
import { recordOutcomes } from '@accepted/shared/ledger/jobs/record-outcomes';
import { listOrphanedJobs } from '@accepted/shared/ledger/jobs/rescue-jobs';
import { surveyQueue } from '@accepted/shared/ledger/jobs/survey-queue';
import type { MarkedJob } from '@accepted/shared/ledger/jobs/take-jobs';
import type { TurnRules } from '@accepted/shared/ledger/jobs/turn-rules';
import { registerWorker } from '@accepted/shared/ledger/workers/workers';
import { makeJob } from '@accepted/testing/factories';
import { finishJobs } from '@accepted/testing/move-jobs';
import { registerTestBuild, TEST_BUILD, testLane } from '@accepted/testing/test-build';
import { createTestDatabase } from '@accepted/testing/test-database';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { succeed, VERSIONS } from './ledger.ts';

/** `TOUCHED_PAGES_FINISHED=10000000` makes it a large ledger. */
const FINISHED = Number(process.env.TOUCHED_PAGES_FINISHED ?? 30_000);
const CHUNK = 10_000;
const JOBS = 20;
const ROUNDS = 10;
/** `TOUCHED_PAGES_KEPT` is how many jobs go through while a snapshot is held; as many more have a key. */
const KEPT = Number(process.env.TOUCHED_PAGES_KEPT ?? 6_000);
/** How much deeper the indexes of what is written once may be: each look goes down a level or two more. */
const LEVELS = 2;

let database: Awaited<ReturnType<typeof createTestDatabase>>;
let worker: Database;
const workerId = newUuid();
beforeAll(async () => {
  database = await createTestDatabase();
  const timeouts = { connectTimeoutMs: 5_000, statementTimeoutMs: 600_000 };
  const options = { url: database.url, applicationName: 'test', maxConnections: 1, indexPlansOnly: true };
  worker = openDatabase({ ...options, ...timeouts }, () => undefined);
  await registerTestBuild(worker);
  const registration = { id: workerId, hostname: 'test', pid: 1, queues: ['default'], concurrency: 20 };
  await registerWorker(worker, { ...registration, buildId: TEST_BUILD });
});
afterAll(async () => {
  await worker.destroy();
  await database.drop();
});

const TURNS = ['dispatch', 'dispatch, limited', 'dispatch, keyed', 'dispatch, blocked'] as const;
const STEPS = ['accept', ...TURNS, 'claim', 'record', 'rescue', 'expire', 'due'] as const;
type Step = (typeof STEPS)[number];
/** Pages that a step touched of the tables of what moves, and of those of what is written once. */
type Touched = Record<'moving' | 'written', number>;

test(
  'a job on its way touches as many pages beside many finished jobs as beside none',
  async ({ annotate }) => {
    // An index that has outgrown its first page has two levels for good.
    await liveThrough();
    const before = await liveThrough();
    await finishMany();
    const after = await liveThrough();
    const seen = STEPS.map((step) => ({ step, before: before.get(step), after: after.get(step) }));
    await annotate(seen.map(describeStep).join('\n'));
    for (const { step, before: few, after: many } of seen) {
      expect(many?.moving, `${step}, of what moves`).toBeLessThanOrEqual((few?.moving ?? 0) * 1.2 + JOBS / 2);
      // Each of the four indexes of `jobs` and two of `attempts` that an insert goes down.
      expect(many?.written, `${step}, of what is written once`).toBeLessThanOrEqual(
        (few?.written ?? 0) * 1.2 + LEVELS * 6 * JOBS,
      );
    }
  },
  60_000 + FINISHED / 10,
);

/** What the server may come to believe of the tables, by itself and at any time, and what makes it. */
const BELIEFS: { belief: string; whileFull?: string; whileEmpty: string }[] = [
  { belief: 'takes the tables for empty, so that to sort what it finds looks free', whileEmpty: 'ANALYZE' },
  {
    belief: 'knows a tenant that has all the rows, and indexes that are large for nothing',
    whileFull: 'ANALYZE',
    whileEmpty: 'VACUUM',
  },
];

test.for(BELIEFS)(
  'a turn touches as many pages beside many rows that are gone, but that a snapshot keeps, as beside none, where the server $belief',
  async ({ whileFull, whileEmpty }, { annotate }) => {
    const tenantId = newUuid();
    await sql`VACUUM (ANALYZE)`.execute(worker);
    const before = await liveThrough({ tenantId });
    await database.db
      .transaction()
      .setIsolationLevel('repeatable read')
      .execute(async (holder) => {
        await sql`SET LOCAL idle_in_transaction_session_timeout = 0`.execute(holder);
        await sql`SELECT FROM ready LIMIT 1`.execute(holder);
        await liveThrough({ tenantId, jobsARound: KEPT / ROUNDS });
        if (whileFull) await passThrough({ tenantId, whileFull: () => sql.raw(whileFull).execute(worker) });
        await sql.raw(whileEmpty).execute(worker);
        const after = await liveThrough({ tenantId });
        const seen = TURNS.map((step) => ({ step, before: before.get(step), after: after.get(step) }));
        await annotate(seen.map(describeStep).join('\n'));
        for (const { step, before: few, after: many } of seen)
          expect(many?.moving, step).toBeLessThanOrEqual((few?.moving ?? 0) * 2);
      });
  },
);

/** Takes jobs from the accept to the outcome, and does something while they wait. */
async function passThrough({ tenantId, whileFull }: { tenantId: string; whileFull: () => Promise<unknown> }) {
  const picture = await surveyQueue(worker, 'default');
  const life: Life = { tenantId, picture, measure: async (_, act) => await act() };
  await accept(life, JOBS);
  await whileFull();
  const claimed = await claimJobs(worker, workerId, await dispatch(life, 'dispatch', JOBS));
  await recordOutcomes(worker, endsOf(claimed), VERSIONS);
}

const describeStep = ({
  step,
  before,
  after,
}: Record<'before' | 'after', Touched | undefined> & { step: Step }) =>
  `${step} of ${JOBS}: of what moves ${before?.moving} -> ${after?.moving} pages, of what is written once ${before?.written} -> ${after?.written}`;

/** Takes jobs from the accept to the outcome, a few times, and answers the least that each step touched. */
async function liveThrough({ tenantId = newUuid(), jobsARound = JOBS } = {}): Promise<Map<Step, Touched>> {
  const least = new Map<Step, Touched>();
  const life: Life = {
    tenantId,
    picture: await surveyQueue(worker, 'default'),
    async measure(step, act) {
      const before = await countPages();
      const result = await act();
      const after = await countPages();
      const moving = after.moving - before.moving;
      const written = after.written - before.written;
      const known = least.get(step) ?? { moving, written };
      least.set(step, { moving: Math.min(moving, known.moving), written: Math.min(written, known.written) });
      return result;
    },
  };
  for (let round = 0; round < ROUNDS; round += 1) {
    await liveFree(life, jobsARound);
    await liveLimited(life, jobsARound);
    await liveKeyed(life, jobsARound);
  }
  return least;
}

/** Jobs of one tenant that go their way, and what a dispatcher knows of their queue. */
interface Life {
  tenantId: string;
  picture: QueuePicture;
  measure<T>(step: Step, act: () => Promise<T>): Promise<T>;
}

async function liveFree(life: Life, count: number): Promise<void> {
  const { measure } = life;
  await measure('accept', () => accept(life, count));
  const jobs = await dispatch(life, 'dispatch', count);
  const claimed = await measure('claim', () => claimJobs(worker, workerId, jobs));
  const ended = endsOf(claimed);
  expect(ended).toHaveLength(count);
  await measure('rescue', () => listOrphanedJobs(worker, 100));
  await measure('record', () => recordOutcomes(worker, ended, VERSIONS));
  await measure('expire', () => expireJobs(worker, 100));
  await measure('due', () => queueDueJobs(worker, 100));
}

/** As many of the type may be in flight as there are. */
async function liveLimited(life: Life, count: number): Promise<void> {
  await accept(life, count);
  const limits = { key: [], type: [{ name: makeJob().type, most: count }], tenant: [] };
  const jobs = await dispatch(life, 'dispatch, limited', count, { limits });
  expect(jobs).toHaveLength(count);
  await recordOutcomes(worker, endsOf(await claimJobs(worker, workerId, jobs)), VERSIONS);
}

/** Half of the jobs find the slots of their key taken, and wait in `blocked` until the others have ended. */
async function liveKeyed(life: Life, count: number): Promise<void> {
  const slots = count / 2;
  await accept(life, count, { concurrencyKey: 'touched', concurrencyLimit: slots });
  for (const step of ['dispatch, keyed', 'dispatch, blocked'] as const) {
    const jobs = await dispatch(life, step, count);
    expect(jobs).toHaveLength(slots);
    expect(await countBlocked()).toBe(step === 'dispatch, keyed' ? count - jobs.length : 0);
    await recordOutcomes(worker, endsOf(await claimJobs(worker, workerId, jobs)), VERSIONS);
  }
}

async function accept({ tenantId }: Life, count: number, key: Partial<NewJob> = {}): Promise<void> {
  await insertJobs(
    worker,
    Array.from({ length: count }, () => makeJob({ tenantId, ...key })),
  );
}

async function dispatch(
  life: Life,
  step: Step,
  count: number,
  rules: Partial<TurnRules> = {},
): Promise<MarkedJob[]> {
  const { picture } = life;
  const turn = await life.measure(step, () =>
    dispatchJobs(worker, 'default', testLane(count), { ...rules, picture }),
  );
  life.picture = turn.picture;
  return turn.jobs;
}

function endsOf(claimed: Awaited<ReturnType<typeof claimJobs>>) {
  return claimed.flatMap((job) => (job ? [{ job, outcome: succeed }] : []));
}

async function countBlocked(): Promise<number> {
  const { rows } = await sql<{ jobs: number }>`SELECT count(*)::int AS jobs FROM blocked`.execute(
    database.db,
  );
  return rows[0]?.jobs ?? 0;
}

async function finishMany(): Promise<void> {
  for (let made = 0; made < FINISHED; made += CHUNK) {
    await sql`
      INSERT INTO jobs (id, tenant_id, type, queue, priority, payload, max_attempts, backoff, timeout_ms, tags, metadata, run_at)
      SELECT (lpad(to_hex((extract(epoch FROM now()) * 1000)::bigint), 12, '0') || '7' || substr(md5(random()::text), 1, 3)
          || '8' || substr(md5(random()::text), 1, 15))::uuid,
        md5((n % 100)::text)::uuid, 'test.noop', 'default', 2, '{}', 3, '{}', 1000, '[]', '{}', now()
      FROM generate_series(1, ${CHUNK}) AS n`.execute(worker);
  }
  await sql`
    INSERT INTO attempts (tenant_id, job_id, run_at, version, attempt, attempts_made, replay_round, dispatch_no, revision,
      losses, suspect, status, outcome)
    SELECT tenant_id, id, run_at, 3, 1, 1, 0, 1, 0, 0, false, 'succeeded', 'succeeded' FROM jobs
    ON CONFLICT DO NOTHING`.execute(worker);
  await finishJobs(worker);
  await sql`VACUUM (ANALYZE)`.execute(worker);
}

/**
 * Only `worker` is made to tell its statistics at once, so all that is counted goes through it. What is not written once moves, or
 * is small: whatever the table, a step has no reason to touch more of it.
 */
async function countPages(): Promise<Touched> {
  await sql`SELECT pg_stat_force_next_flush()`.execute(worker);
  const { rows } = await sql<Touched>`
    SELECT coalesce(sum(pages) FILTER (WHERE NOT is_written), 0)::float8 AS moving,
      coalesce(sum(pages) FILTER (WHERE is_written), 0)::float8 AS written
    FROM (
      SELECT relname ~ '^(jobs|attempts|payload_revisions)' AS is_written,
        coalesce(heap_blks_read + heap_blks_hit, 0) + coalesce(idx_blks_read + idx_blks_hit, 0) AS pages
      FROM pg_statio_user_tables) AS tables`.execute(database.db);
  return rows[0] ?? { moving: Number.NaN, written: Number.NaN };
}
