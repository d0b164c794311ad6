import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { publicId } from '@accepted/shared/core/job/id';
import { priorityOfRank } from '@accepted/shared/core/job/priority';
import { DELIVERY_TYPE } from '@accepted/shared/core/webhook/event';
import type { Database } from '@accepted/shared/ledger/connection/connect';
import type { AttemptOutcome } from '@accepted/shared/ledger/jobs/jobs-tables';
import { findMisplacedJobs } from '@accepted/shared/ledger/jobs/misplaced-jobs';
import { sql } from 'kysely';
import type {
  LedgerAttempt,
  LedgerDeadLetter,
  LedgerJob,
  LedgerKey,
  LedgerLease,
  LedgerReplay,
  TransitionLine,
} from '../ledger-rows.ts';
import { LOG_FILES } from '../logs.ts';

/** Writes what the ledger says at the end into the run's folder, so that a run can be checked again later. */
export async function exportLedger(db: Database, folder: string): Promise<void> {
  await mkdir(join(folder, 'ledger'), { recursive: true });
  const write = async (file: string, rows: object[]) => {
    await writeFile(join(folder, file), rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  };
  await write(LOG_FILES.jobs, await readJobs(db));
  await write(LOG_FILES.attempts, await readAttempts(db));
  await write(LOG_FILES.deadLetters, await readDeadLetters(db));
  await write(LOG_FILES.replays, await readReplays(db));
  await write(LOG_FILES.keys, await readKeys(db));
  await write(LOG_FILES.transitions, await readTransitions(db));
  await write(LOG_FILES.leases, await readLeases(db));
}

async function readJobs(db: Database): Promise<LedgerJob[]> {
  const rows = await db
    .selectFrom('current_jobs')
    .select((eb) => [
      ...JOB_COLUMNS,
      eb('webhook', 'is not', null).$castTo<boolean>().as('has_webhook'),
      sql<number | null>`(result ->> 'token')::int`.as('result_token'),
      sql<string | null>`CASE WHEN type = ${DELIVERY_TYPE} THEN payload ->> 'eventId' END`.as('event_id'),
      sql<string | null>`CASE WHEN type = ${DELIVERY_TYPE} THEN metadata ->> 'jobId' END`.as('event_job_id'),
    ])
    .execute();
  return rows.map((row) => ({
    jobId: publicId('job', row.id),
    type: row.type,
    queue: row.queue,
    status: row.status,
    attempt: row.attempt,
    attemptsMade: row.attempts_made,
    maxAttempts: row.max_attempts,
    replayRound: row.replay_round,
    priority: priorityOfRank(row.priority),
    dispatchNo: row.dispatch_no,
    concurrencyKey: row.concurrency_key,
    hasWebhook: row.has_webhook,
    eventId: row.event_id,
    eventJobId: row.event_job_id,
    createdAt: row.created_at.getTime(),
    startedAt: row.started_at?.getTime() ?? null,
    finishedAt: row.finished_at?.getTime() ?? null,
    resultToken: row.result_token,
  }));
}

const JOB_COLUMNS = [
  'id',
  'type',
  'priority',
  'queue',
  'status',
  'attempt',
  'attempts_made',
  'max_attempts',
  'replay_round',
  'dispatch_no',
  'concurrency_key',
  'created_at',
  'started_at',
  'finished_at',
] as const;

async function readAttempts(db: Database): Promise<LedgerAttempt[]> {
  const rows = await db
    .selectFrom('attempts')
    .select([
      'job_id',
      'attempt',
      'replay_round',
      'worker_id',
      'outcome',
      'started_at',
      'finished_at',
      sql<string | null>`error ->> 'code'`.as('error_code'),
    ])
    .where('outcome', 'is not', null)
    .$narrowType<{ outcome: AttemptOutcome; started_at: Date }>()
    .execute();
  return rows.map((row) => ({
    jobId: publicId('job', row.job_id),
    attempt: row.attempt,
    replayRound: row.replay_round,
    workerId: row.worker_id,
    outcome: row.outcome,
    errorCode: row.error_code,
    startedAt: row.started_at.getTime(),
    finishedAt: row.finished_at.getTime(),
  }));
}

async function readDeadLetters(db: Database): Promise<LedgerDeadLetter[]> {
  const columns = ['job_id', 'reason', 'attempt', 'created_at', 'resolution'] as const;
  const rows = await db.selectFrom('dead_letters').select(columns).execute();
  return rows.map((row) => ({
    jobId: publicId('job', row.job_id),
    reason: row.reason,
    attempt: row.attempt,
    createdAt: row.created_at.getTime(),
    resolution: row.resolution,
  }));
}

async function readReplays(db: Database): Promise<LedgerReplay[]> {
  const { rows } = await sql<{ job_id: string; created_at: Date }>`
    SELECT detail ->> 'jobId' AS job_id, created_at FROM audit_log WHERE action = 'dead_letter.replay'`.execute(
    db,
  );
  return rows.map((row) => ({ jobId: row.job_id, at: row.created_at.getTime() }));
}

async function readKeys(db: Database): Promise<LedgerKey[]> {
  const keys = db.selectFrom('idempotency_keys').select(['key', 'job_id']).where('job_id', 'is not', null);
  const rows = await keys.$narrowType<{ job_id: string }>().execute();
  return rows.map((row) => ({ key: row.key, jobId: publicId('job', row.job_id) }));
}

async function readTransitions(db: Database): Promise<TransitionLine[]> {
  const { rows } = await sql<{ at: Date; job_id: string; from_status: string; to_status: string }>`
    SELECT * FROM faults_transitions ORDER BY at`.execute(db);
  const moves = rows.map((row) => ({
    at: row.at.getTime(),
    jobId: publicId('job', row.job_id),
    from: row.from_status,
    to: row.to_status,
  }));
  const misplaced = (await findMisplacedJobs(db)).map(({ jobId, tables, ended }) => ({
    at: Date.now(),
    jobId: publicId('job', jobId),
    from: 'one place',
    to: [...tables, ...(ended === null ? [] : [ended])].join(' and ') || 'none',
  }));
  return [...moves, ...misplaced];
}

async function readLeases(db: Database): Promise<LedgerLease[]> {
  const time = (event: string) => sql`max(at) FILTER (WHERE event = ${event})`;
  const { rows } = await sql<
    Record<'began' | 'lost' | 'released', Date | null> & { id: string; pid: number }
  >`
    SELECT worker_id AS id, pid, ${time('began')} AS began, ${time('lost')} AS lost, ${time('released')} AS released
    FROM faults_leases GROUP BY worker_id, pid`.execute(db);
  return rows.map(({ id, pid, began, lost, released }) => ({
    workerId: id,
    pid,
    beganAt: began?.getTime() ?? 0,
    lostAt: lost?.getTime() ?? null,
    releasedAt: released?.getTime() ?? null,
  }));
}
