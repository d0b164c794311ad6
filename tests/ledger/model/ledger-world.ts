import type { QueuePicture } from '@accepted/shared/core/fairness/queue-picture';
import type { AttemptResult } from '@accepted/shared/core/job/decide-outcome';
import { newUuid } from '@accepted/shared/core/job/id';
import type { Database } from '@accepted/shared/ledger/connection/connect';
import { discardDeadLetter, replayDeadLetter } from '@accepted/shared/ledger/dead-letters/dead-letters';
import { cancelJob, expireJobs } from '@accepted/shared/ledger/jobs/cancel-jobs';
import { claimJobs } from '@accepted/shared/ledger/jobs/claim-jobs';
import { dispatchJobs } from '@accepted/shared/ledger/jobs/dispatch-jobs';
import { queueDueJobs } from '@accepted/shared/ledger/jobs/due-jobs';
import { insertJobs } from '@accepted/shared/ledger/jobs/insert-jobs';
import { recordOutcomes } from '@accepted/shared/ledger/jobs/record-outcomes';
import { rescheduleJob } from '@accepted/shared/ledger/jobs/reschedule-jobs';
import { listOrphanedJobs } from '@accepted/shared/ledger/jobs/rescue-jobs';
import { surveyQueue } from '@accepted/shared/ledger/jobs/survey-queue';
import { takeBack } from '@accepted/shared/ledger/jobs/unclaimed-jobs';
import { countBacklogs } from '@accepted/shared/ledger/limits/backlogs';
import { registerWorker } from '@accepted/shared/ledger/workers/workers';
import { makeJob } from '@accepted/testing/factories';
import { changeLive } from '@accepted/testing/move-jobs';
import { TEST_BUILD, testLane } from '@accepted/testing/test-build';
import { sql } from 'kysely';
import { expect } from 'vitest';
import { loseWorker as loseWorkerOf } from '../ledger.ts';
import { expectSame, lookAgain } from '../pictures.ts';
import { type LedgerEvent, MAX_LOSSES, MODEL_BREAKER } from './ledger-events.ts';
import * as model from './ledger-model.ts';

/** The ledger and its model, side by side. */
export interface World {
  db: Database;
  jobs: model.ModelJob[];
  /** Of whom the jobs with the key are. */
  keyedTenantId: string;
  worker: { id: string; isLost: boolean };
  lostWorker: { id: string; isLost: boolean } | undefined;
  /** What a dispatcher has seen of the queue. */
  picture: QueuePicture;
}

const TABLES = [
  'jobs',
  'ready',
  'blocked',
  'due',
  'in_flight',
  'attempts',
  'dead_letters',
  'audit_log',
  'workers',
] as const;

export async function startWorld(db: Database): Promise<World> {
  for (const table of TABLES) {
    await db.deleteFrom(table).execute();
  }
  await sql`INSERT INTO breakers (id, tenant_id, type, target, error_code, open_until)
    VALUES (${MODEL_BREAKER}, ${newUuid()}, 'test', 'test', 'test', 'infinity') ON CONFLICT DO NOTHING`.execute(
    db,
  );
  await countBacklogs(db);
  const worker = { id: await startWorker(db), isLost: false };
  const picture = await surveyQueue(db, 'default');
  return { db, jobs: [], keyedTenantId: newUuid(), worker, lostWorker: undefined, picture };
}

async function startWorker(db: Database): Promise<string> {
  const id = newUuid();
  await registerWorker(db, {
    id,
    hostname: 'test',
    pid: 1,
    queues: ['default'],
    concurrency: 10,
    buildId: TEST_BUILD,
  });
  return id;
}

const ACT = { actor: 'test', reason: 'test' };
const VERSIONS = { accepted: 'test' };

/** Lets an event happen in both; what the ledger answers is compared with what the model does. */
export async function apply(world: World, event: LedgerEvent): Promise<void> {
  const { jobs } = world;
  if (event.kind === 'insert') return await insert(world, event);
  if (event.kind === 'loseWorker') return await loseWorker(world);
  if (event.kind === 'rescue') return await rescue(world);
  if (event.kind === 'dispatch') return await dispatch(world);
  const chosen = jobs[event.job % Math.max(1, jobs.length)];
  if (chosen) await applyToJob(world, chosen, event);
}

/** Brings the dispatcher's picture of the queue up to date, and compares it with the queue. */
export async function comparePicture(world: World): Promise<void> {
  world.picture = await lookAgain(world.db, world.picture);
  expectSame(world.picture, await surveyQueue(world.db, 'default'));
}

type JobEvent = Extract<LedgerEvent, { job: number }>;

async function applyToJob(world: World, job: model.ModelJob, event: JobEvent): Promise<void> {
  const { db, jobs } = world;
  switch (event.kind) {
    case 'becomeDue':
      await changeLive(db, sql`run_at = now() - interval '1 s'`, sql`job_id = ${job.id}`);
      await queueDueJobs(db, 100);
      model.move(job, 'becameDue');
      return;
    case 'cancel': {
      const { tenant_id } = await readRow(db, job.id);
      await cancelJob(db, tenant_id, job.id);
      return model.cancel(job);
    }
    case 'expire':
      await changeLive(
        db,
        sql`expires_at = now() - interval '1 s'`,
        sql`job_id = ${job.id} AND expires_at IS NOT NULL`,
      );
      await expireJobs(db, 100);
      if (job.ttl === 'waiting') job.ttl = 'passed';
      for (const one of jobs) if (model.isOverdue(one)) model.move(one, 'expired');
      return;
    case 'takeBack':
      await takeBack(db, [{ id: job.id, dispatchNo: job.dispatchNo - event.late }]);
      return model.takeBack(job, job.dispatchNo - event.late);
    case 'reschedule': {
      const { tenant_id } = await readRow(db, job.id);
      const delayMs = event.isDue ? 0 : 3_600_000;
      const result = await rescheduleJob(db, tenant_id, job.id, { delayMs });
      expect(result?.kind === 'rescheduled').toBe(model.reschedule(job, event.isDue));
      return;
    }
    case 'claim':
      return await claim(world, job, event);
    case 'record':
      return await record(db, job, job.token - event.stale, event.result);
    default:
      return await act(db, job, event.kind);
  }
}

/** Takes turns until there is nothing to do: who may not go then waits in `blocked`, and nobody is `ready`. */
async function dispatch(world: World): Promise<void> {
  const { db, jobs } = world;
  const ids = new Set<string>();
  for (let isMoreToDo = true; isMoreToDo; ) {
    const turn = await dispatchJobs(db, 'default', testLane(1_000), world);
    for (const { id } of turn.jobs) ids.add(id);
    world.picture = turn.picture;
    isMoreToDo = turn.moreToDo;
  }
  const going = model.dispatch(jobs, ({ id }) => ids.has(id));
  expect([...ids].sort()).toEqual(going.map(({ id }) => id).sort());
  expect(await db.selectFrom('ready').select('job_id').execute()).toEqual([]);
}

async function insert(world: World, event: Extract<LedgerEvent, { kind: 'insert' }>): Promise<void> {
  const { db, jobs, keyedTenantId } = world;
  const made = makeJob({
    maxAttempts: event.maxAttempts,
    backoff: model.BACKOFF,
    ...(event.keyed && { ...model.KEY, tenantId: keyedTenantId }),
    ...(event.scheduled && { delayMs: 3_600_000 }),
    // Longer than any time that it is given.
    ...(event.ttl && { ttlMs: 7_200_000 }),
  });
  await insertJobs(db, [made]);
  const { scheduled: isScheduled, ttl: hasTtl, keyed: isKeyed, maxAttempts } = event;
  jobs.push(model.newModelJob(made.id, { isScheduled, hasTtl, isKeyed, maxAttempts }));
}

async function claim(
  world: World,
  job: model.ModelJob,
  event: Extract<LedgerEvent, { kind: 'claim' }>,
): Promise<void> {
  const worker = (event.byLostWorker && world.lostWorker) || world.worker;
  const dispatchNo = job.dispatchNo - event.late;
  const [claimed] = await claimJobs(world.db, worker.id, [{ id: job.id, dispatchNo }]);
  expect(claimed !== undefined).toBe(model.claim(job, dispatchNo, worker));
  if (claimed) expect([claimed.attempt, claimed.attemptsMade]).toEqual([job.token, job.attemptsMade]);
}

async function record(
  db: Database,
  job: model.ModelJob,
  token: number,
  result: AttemptResult,
): Promise<void> {
  const outcome = model.outcomeOf(job, result);
  const ended = { job: { id: job.id, attempt: token, type: 'test.noop', hasFollowers: false }, outcome };
  expect(await recordOutcomes(db, [ended], VERSIONS)).toEqual([model.record(job, token, outcome)]);
}

/** The newest dead letter of the job, resolved or not, is acted on. */
async function act(db: Database, job: model.ModelJob, kind: 'replay' | 'discard'): Promise<void> {
  const letters = db.selectFrom('dead_letters').select('id').where('job_id', '=', job.id);
  const letter = await letters.orderBy('id', 'desc').executeTakeFirst();
  if (!letter) return;
  if (kind === 'replay') {
    await replayDeadLetter(db, letter.id, ACT);
    model.replay(job);
  } else {
    await discardDeadLetter(db, letter.id, ACT);
    model.discard(job);
  }
}

async function loseWorker(world: World): Promise<void> {
  const { db, jobs, worker } = world;
  await loseWorkerOf(db, worker.id);
  worker.isLost = true;
  const ran = jobs.filter(({ status, workerId }) => status === 'running' && workerId === worker.id);
  for (const job of ran) job.runningWhenLost = ran.length;
  world.lostWorker = worker;
  world.worker = { id: await startWorker(db), isLost: false };
}

async function rescue({ db, jobs, worker }: World): Promise<void> {
  const orphans = jobs.filter((job) => job.status === 'running' && job.workerId !== worker.id);
  const found = await listOrphanedJobs(db, 100);
  expect(found.map(({ id }) => id).sort()).toEqual(orphans.map(({ id }) => id).sort());
  for (const job of orphans) {
    const { runningWhenLost, suspect, losses } = job;
    expect(found.find(({ id }) => id === job.id)).toMatchObject({ runningWhenLost, suspect, losses });
    const isAlone = runningWhenLost === 1 && !suspect;
    const lost: AttemptResult = { kind: 'lostWithWorker', losses: losses + 1, maxLosses: MAX_LOSSES };
    await record(db, job, job.token, isAlone ? { kind: 'workerLost' } : lost);
  }
}

function readRow(db: Database, id: string) {
  return db.selectFrom('current_jobs').selectAll().where('id', '=', id).executeTakeFirstOrThrow();
}
