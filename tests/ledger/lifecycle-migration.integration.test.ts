import { newUuid } from '@accepted/shared/core/job/id';
import { migrateLedger } from '@accepted/shared/ledger/connection/migrate';
import { findDeadLetter } from '@accepted/shared/ledger/dead-letters/read-dead-letters';
import { findMisplacedJobs } from '@accepted/shared/ledger/jobs/misplaced-jobs';
import { listAttempts, listJobs } from '@accepted/shared/ledger/jobs/read-jobs';
import { startPostgresServer } from '@accepted/testing/postgres-server';
import { MIGRATIONS_DIR, openTestDatabase } from '@accepted/testing/test-database';
import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { migrateUpTo, type TestLedger } from './migrate-up-to.ts';

const TENANT = newUuid();
const WORKER = newUuid();
const LETTER = newUuid();
const OPEN_LETTER = newUuid();
const ERROR = { code: 'x', message: 'm', retryable: true };

type Columns = Record<string, unknown>;

/** A job in each state that there was, by what its row had beside what all have. */
const STATES: Record<string, { job: Columns; attempts?: Columns[] }> = {
  scheduled: { job: { status: 'scheduled', run_at: sql`now() + interval '1 h'` } },
  ready: { job: { status: 'queued', expires_at: sql`now() + interval '1 h'`, refused_by: ['a'] } },
  dispatched: { job: { status: 'queued', dispatch_no: 1, dispatched_at: sql`now()`, build_id: 'b' } },
  running: {
    job: {
      ...attempted(1),
      status: 'running',
      worker_id: WORKER,
      dispatched_at: sql`now()`,
      progress: '{"at":1}',
    },
  },
  retrying: {
    job: {
      ...{ ...attempted(1), status: 'retrying', version: 3, progress: '{"at":1}' },
      error: JSON.stringify({ ...ERROR, attempt: 1 }),
    },
    attempts: [{ attempt: 1, outcome: 'failed', error: JSON.stringify({ ...ERROR, stack: 's' }) }],
  },
  succeeded: {
    job: { ...attempted(1), status: 'succeeded', result: '{"n":1}', version: 3, ...ended() },
    attempts: [{ attempt: 1, outcome: 'succeeded' }],
  },
  failed: {
    job: {
      ...{ ...attempted(2), status: 'failed', error: JSON.stringify({ ...ERROR, attempt: 2 }), version: 5 },
      ...{ dead_letter_id: OPEN_LETTER, ...ended() },
    },
    attempts: [
      {
        attempt: 1,
        outcome: 'timeout',
        error: JSON.stringify(ERROR),
        finished_at: sql`now() - interval '1 m'`,
      },
      { attempt: 2, outcome: 'failed', error: JSON.stringify({ ...ERROR, stack: 's' }) },
    ],
  },
  canceled: { job: { status: 'canceled', version: 2, cancel_requested_at: sql`now()`, ...ended() } },
  'canceled while it waited for a retry': {
    job: {
      ...{ ...attempted(1), status: 'canceled', version: 4, cancel_requested_at: sql`now()` },
      ...{ error: JSON.stringify({ ...ERROR, attempt: 1 }), progress: '{"at":1}', ...ended() },
    },
    attempts: [
      {
        attempt: 1,
        outcome: 'failed',
        error: JSON.stringify(ERROR),
        finished_at: sql`now() - interval '1 m'`,
      },
    ],
  },
  expired: { job: { status: 'expired', version: 2, expires_at: sql`now()`, ...ended() } },
  'replayed with another payload, and queued': {
    job: {
      ...attempted(1),
      attempts_made: 0,
      status: 'queued',
      replay_round: 1,
      version: 4,
      payload: '{"edited":1}',
    },
    attempts: [
      {
        attempt: 1,
        outcome: 'failed',
        error: JSON.stringify(ERROR),
        finished_at: sql`now() - interval '1 m'`,
      },
    ],
  },
};

function attempted(attempt: number): Columns {
  return {
    attempt,
    attempts_made: attempt,
    dispatch_no: attempt,
    started_at: sql`now()`,
    version: 1 + attempt,
  };
}

function ended(): Columns {
  return { finished_at: sql`now()` };
}

test('a ledger with jobs in every state is turned into a lifecycle, and each is shown as it was', async () => {
  await using server = await startPostgresServer();
  await using db = openTestDatabase(server.url);
  await migrateUpTo(db, '0017_lifecycle');
  const ids = new Map<string, string>();
  for (const [name, state] of Object.entries(STATES)) ids.set(name, await writeAsBefore(db, state));
  await writeLetters(db, ids);
  const before = await readShown(db, 'jobs');
  const attempts = await sql`SELECT job_id, attempt, replay_round, outcome, error, started_at, finished_at
    FROM attempts ORDER BY job_id, attempt`.execute(db);

  await migrateLedger(server.url, MIGRATIONS_DIR);

  expect(await findMisplacedJobs(db)).toEqual([]);
  expect(await readShown(db, 'current_jobs')).toEqual(before);
  expect(await listJobs(db, TENANT, { tag: 'b' }, { limit: 100 })).toHaveLength(ids.size);
  const after = await Promise.all([...ids.values()].sort().map((id) => listAttempts(db, TENANT, id)));
  expect(after.flat()).toMatchObject(attempts.rows);
  expect(await findDeadLetter(db, TENANT, LETTER)).toMatchObject({
    payloadJson: '{"a": 1}',
    job: { payloadJson: '{"edited":1}' },
    replays: [{ isEdited: true }],
  });
});

/** Writes a job and its attempts as the version before had them, in one transaction each, so that times agree. */
async function writeAsBefore(
  db: TestLedger,
  { job, attempts = [] }: (typeof STATES)[string],
): Promise<string> {
  const id = newUuid();
  await db.transaction().execute(async (tx) => {
    await tx
      .insertInto('jobs')
      .values({ ...BASE, ...job, id } as never)
      .execute();
    for (const attempt of attempts)
      await tx
        .insertInto('attempts')
        .values({ job_id: id, replay_round: 0, started_at: sql`now()`, ...attempt } as never)
        .execute();
  });
  return id;
}

const BASE = {
  tenant_id: TENANT,
  type: 'test.noop',
  queue: 'default',
  priority: 2,
  payload: '{"a": 1}',
  max_attempts: 3,
  backoff: '{}',
  timeout_ms: 1_000,
  run_at: sql`now()`,
  tags: '["a", "b"]',
  metadata: '{}',
};

async function writeLetters(db: TestLedger, ids: ReadonlyMap<string, string>): Promise<void> {
  const replayed = ids.get('replayed with another payload, and queued');
  for (const [letter, jobId, attempt, resolution] of [
    [OPEN_LETTER, ids.get('failed'), 2, null],
    [LETTER, replayed, 1, 'replayed'],
  ])
    await sql`INSERT INTO dead_letters (id, job_id, tenant_id, queue, type, reason, error, fingerprint, attempt,
        attempts_made, versions, resolution, resolved_at)
      VALUES (${letter}, ${jobId}, ${TENANT}, 'default', 'test', 'poison', '{}', '', ${attempt}, 1, '{}', ${resolution},
        CASE WHEN ${resolution}::text IS NOT NULL THEN now() END)`.execute(db);
  await sql`INSERT INTO payload_edits (job_id, replay_round, tenant_id, dead_letter_id, payload, actor)
    VALUES (${replayed}, 0, ${TENANT}, ${LETTER}, '{"a": 1}', 'test')`.execute(db);
}

async function readShown(db: TestLedger, table: 'jobs' | 'current_jobs') {
  const { rows } = await sql`
    SELECT id, status, payload::text, result::text, error, progress, attempt, attempts_made, replay_round, dispatch_no,
      dispatched_at, worker_id, run_at, expires_at, concurrency_key, dead_letter_id, version, created_at, started_at,
      finished_at, cancel_requested_at, suspect, losses
    FROM ${sql.table(table)} ORDER BY id`.execute(db);
  return rows;
}
