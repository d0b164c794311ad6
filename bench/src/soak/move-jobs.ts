import type { QueuePicture } from '@accepted/shared/core/fairness/queue-picture';
import { newUuid } from '@accepted/shared/core/job/id';
import type { Database } from '@accepted/shared/ledger/connection/connect';
import { claimJobs } from '@accepted/shared/ledger/jobs/claim-jobs';
import { dispatchJobs } from '@accepted/shared/ledger/jobs/dispatch-jobs';
import { queueDueJobs } from '@accepted/shared/ledger/jobs/due-jobs';
import { forgetMovements, readOldestTransaction } from '@accepted/shared/ledger/jobs/forget-movements';
import { insertJobs } from '@accepted/shared/ledger/jobs/insert-jobs';
import { recordOutcomes } from '@accepted/shared/ledger/jobs/record-outcomes';
import { surveyQueue } from '@accepted/shared/ledger/jobs/survey-queue';
import { writeProgress } from '@accepted/shared/ledger/jobs/write-progress';
import { registerWorker } from '@accepted/shared/ledger/workers/workers';
import { makeJob } from '@accepted/testing/factories';
import { registerTestBuild } from '@accepted/testing/test-build';

/** So many jobs are moved by one statement, and as many wait behind them. */
const BATCH = 200;
/** A job fails so often before it succeeds: what is written once is as small as it can be beside what moves. */
const FAILURES = 9;
/** One job of so many has the key, which has few slots: most of those wait in `blocked`. */
const KEYED_ONE_OF = 40;
const KEY = { concurrencyKey: 'soak', concurrencyLimit: 2 };
/** One job of so many tells of its progress. */
const PROGRESS_ONE_OF = 100;
const FORGET_EVERY_MS = 60_000;
const FORGET_BATCH = 10_000;

/** What moves jobs through the ledger as API, dispatcher and worker do, without an engine between them. */
export interface Mover {
  /** Takes one batch from `ready` to its outcomes, and what is to be tried again back. */
  step(): Promise<StepCost>;
  /** Takes all jobs to their ends. */
  drain(): Promise<void>;
}

export interface StepCost {
  moves: number;
  turnMs: number;
}

/** `hasKeys`: some of its jobs have a concurrency key, and wait in `blocked` for a slot of it. */
export async function startMover(db: Database, queue: string, hasKeys: boolean): Promise<Mover> {
  const type = `soak.${queue}`;
  await registerTestBuild(db, [type], { id: queue, queue });
  const workerId = newUuid();
  await registerWorker(db, {
    id: workerId,
    hostname: 'soak',
    pid: process.pid,
    queues: [queue],
    concurrency: BATCH,
    buildId: queue,
  });
  const tenantId = newUuid();
  let picture: QueuePicture = await surveyQueue(db, queue);
  let told: { before: string; readAtMs: number } | undefined;
  let live = 0;
  let accepted = 0;

  async function forget(): Promise<void> {
    if (told && performance.now() - told.readAtMs < FORGET_EVERY_MS) return;
    while (told && (await forgetMovements(db, told.before, FORGET_BATCH)) === FORGET_BATCH);
    told = { before: await readOldestTransaction(db), readAtMs: performance.now() };
  }

  async function accept(count: number): Promise<number> {
    const jobs = Array.from({ length: count }, () => {
      accepted += 1;
      const isKeyed = hasKeys && accepted % KEYED_ONE_OF === 0;
      return makeJob({ tenantId, type, queue, maxAttempts: FAILURES + 1, ...(isKeyed && KEY) });
    });
    await insertJobs(db, jobs);
    live += count;
    return count;
  }

  async function turn() {
    const startedAtMs = performance.now();
    const { jobs, picture: seen } = await dispatchJobs(db, queue, [{ buildId: queue, size: BATCH }], {
      picture,
    });
    picture = seen;
    return { jobs, turnMs: performance.now() - startedAtMs };
  }

  async function run(dispatched: Awaited<ReturnType<typeof turn>>['jobs']): Promise<number> {
    const claimed = (await claimJobs(db, workerId, dispatched)).flatMap((job) => job ?? []);
    for (const job of claimed.slice(0, Math.ceil(claimed.length / PROGRESS_ONE_OF)))
      await writeProgress(db, job, '{"percent":50}');
    const ended = claimed.map((job) => ({ job, outcome: outcomeOf(job.attemptsMade) }));
    await recordOutcomes(db, ended, { accepted: 'soak' });
    const finished = ended.filter(({ outcome }) => outcome.kind === 'succeed').length;
    live -= finished;
    await queueDueJobs(db, BATCH);
    // Into flight and out of it; what is tried again moves twice more. That some wait in `blocked` before is not counted.
    return 2 * claimed.length + 2 * (claimed.length - finished);
  }

  async function step(accepts: number): Promise<StepCost> {
    await forget();
    const arrived = await accept(accepts);
    const { jobs, turnMs } = await turn();
    return { moves: arrived + (await run(jobs)), turnMs };
  }

  return {
    step: () => step(Math.max(0, 2 * BATCH - live)),
    async drain() {
      while (live > 0) await step(0);
    },
  };
}

function outcomeOf(attemptsMade: number) {
  if (attemptsMade > FAILURES) return { kind: 'succeed', resultJson: '{}' } as const;
  const error = { code: 'soak', message: 'It is tried again.', retryable: true };
  return { kind: 'retry', delayMs: 0, error } as const;
}
