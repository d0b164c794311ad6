import type { ClaimedJob } from '@accepted/shared/core/job/claimed-job';
import type { AttemptResult } from '@accepted/shared/core/job/decide-outcome';
import type { DispatchKey } from '@accepted/shared/core/job/dispatch-key';
import { isTerminal } from '@accepted/shared/core/job/status';
import { DELIVERY_QUEUE } from '@accepted/shared/core/webhook/event';
import type { Engine } from '@accepted/shared/engine/engine';
import type { Database } from '@accepted/shared/ledger/connection/connect';
import { CHANNELS, listen, notify } from '@accepted/shared/ledger/connection/notifications';
import { takeBackFromGoneBuilds } from '@accepted/shared/ledger/jobs/unclaimed-jobs';
import type { Logger } from 'pino';
import type { WorkerConfig } from './config.ts';
import type { LoadedHandler } from './handlers/loaded-handler.ts';
import { registerOwnBuild } from './handlers/register-own-build.ts';
import { startCounting } from './metrics/start-counting.ts';
import { createAnnouncer } from './path/announcer.ts';
import { createClaimer } from './path/claimer.ts';
import { consumeQueues } from './path/consume-queues.ts';
import { createExecutor } from './path/executor.ts';
import { createFinishMeter, type FinishMeter } from './path/finish-meter.ts';
import { createSlotsByQueue, type HandlerSlots } from './path/handler-slots.ts';
import { limitUnderWay } from './path/outcomes-under-way.ts';
import { createRefusingSchema } from './path/own-schemas.ts';
import { createRecorder } from './path/recorder.ts';
import { createRetryBudget } from './path/retry-budget.ts';
import { type AttemptSteps, runAttempt } from './path/run-attempt.ts';
import { createDeliveryRunner } from './path/run-delivery.ts';
import { createRunningAttempts, type RunningAttempts, type StopReason } from './path/running-attempts.ts';
import { startDeadLetters } from './services/dead-letters/start-dead-letters.ts';
import { type Dispatch, startDispatch } from './services/dispatch/start-dispatch.ts';
import { startTenantShare } from './services/dispatch/tenant-share.ts';
import { startMaintenance } from './services/maintenance/start-maintenance.ts';
import { holdLease, type Lease } from './services/rescue/lease.ts';
import { startRescue } from './services/rescue/start-rescue.ts';
import { startWatchdog } from './services/rescue/watchdog.ts';
import { type EngineWatch, watchEngine } from './services/watch-engine.ts';
import { shutDown } from './shut-down.ts';

/** Outcomes that may be on their way to the ledger at once: a full batch of the recorder. */
const MAX_OUTCOMES_UNDER_WAY = 500;
/**
 * A suspect waits for its process to start, and with many of them for others: in slots apart from those of jobs that
 * need none, which go on meanwhile, and for longer, as giving one back writes to the ledger each time.
 */
const SUSPECT_WAIT_MS = { quick: 2_000, slow: 2_000 };
/** Handlers get a second to settle; the rest is for writing down that their jobs are given back. */
const GIVE_UP_TIMEOUT_MS = 2_000;

export interface WorkerResources {
  /** The key of the secrets goes no further than `main.ts`; what handlers see is read where their processes start. */
  config: Omit<WorkerConfig, 'SECRETS_KEY' | 'HANDLER_ENV' | 'HANDLER_PERMISSIONS'>;
  db: Database;
  /** A connection for the heartbeats alone. */
  heartbeatDb: Database;
  engine: Engine;
  handlers: LoadedHandler[];
  /** Stand in every dead letter: what ran when it died. */
  versions: Record<string, string>;
  /** Asks for this process to be ended and started anew. */
  onDeaf: () => void;
  logger: Logger;
}

/** A worker process at work. */
export interface StartedWorker {
  /** Ends it in order. With a reason it ends soon: jobs that run are given back at once instead of being waited for. */
  stop(giveUp?: GiveUpReason): Promise<void>;
  runningJobs(): number;
}

/** Whether one of the running jobs may be the reason, so that they have to show it in processes of their own. */
export type GiveUpReason = Extract<StopReason, 'shutdown' | 'suspected'>;

/** Starts everything that a worker process does. */
export async function startWorker(resources: WorkerResources): Promise<StartedWorker> {
  const { config, db, engine, handlers, logger } = resources;
  const { WORKER_CONCURRENCY: concurrency, WATCHDOG_MS: deafAfterMs } = config;
  const queues = [...new Set(handlers.map((handler) => handler.queue))].sort();
  const running = createRunningAttempts();
  const budget = createRetryBudget();
  const meter = createFinishMeter(performance.now());
  const onError = (error: unknown) =>
    logger.warn({ err: error }, 'a background service failed; it is tried again');
  const { counters, stopCounting } = startCounting({ db, intervalMs: config.HEARTBEAT_MS, onError });
  const announceFinished = createAnnouncer(db, onError);
  let closing = false;

  const { id: buildId, types } = await registerOwnBuild(db, handlers, resources.versions);
  const record = createRecorder(resources);
  const engineWatch = watchEngine(engine, config.HEARTBEAT_MS);
  const lease = await startLease(resources, { queues, buildId, running, meter, engineWatch });
  const share = await startTenantShare({ db, percent: config.MAX_TENANT_SHARE, onError });
  const slots = { slots: concurrency, mostPerTenant: () => share.mostHere(concurrency) };
  const slotsOf = createSlotsByQueue(slots);
  const suspectSlotsOf = createSlotsByQueue({ ...slots, maxWaitMs: SUSPECT_WAIT_MS });
  const dispatch = startDispatch({ db, engine, queues, timesOf: slotsOf, share, counters, logger, onError });
  const maintenance = startMaintenance({ ...resources, lease, onExpired: announceFinished, onError });
  const deadLetters = startDeadLetters({ db, engine, queues, onReplayed: dispatch.soon, logger, onError });
  const notifications = listenForHints(resources, dispatch, running, onError);
  const claimer = createClaimer({ db, workerId: lease.workerId, isClosing: () => closing, logger });
  const onRescued = dispatch.soon;
  const rescue = startRescue({ ...resources, lease, running, claimer, record, counters, onRescued });
  const refusingSchema = createRefusingSchema(types, logger);
  const logLevel = config.HANDLER_LOG_LEVEL;
  const execute = createExecutor({ db, handlers, refusingSchema, logLevel });
  const steps: AttemptSteps = {
    claim: claimer.claim,
    execute: executeInSlots(execute, (job) => (job.suspect ? suspectSlotsOf : slotsOf)(job.queue)),
    spreadRetries(job) {
      budget.count(job.type, job.attemptsMade, performance.now());
      return { random: Math.random(), stretch: budget.stretch(job.type, performance.now()) };
    },
    record,
    mustCount: rescue.mustCount,
    unlessTooMany: limitUnderWay(MAX_OUTCOMES_UNDER_WAY),
    announce: tellWhoWaits(meter, dispatch, announceFinished),
    running,
    counters,
    logger,
  };
  const runOne = (dispatch: DispatchKey) => runAttempt(steps, dispatch);
  const run = createDeliveryRunner({ slots: concurrency, slotsOf, runOne });
  const consumers = consumeQueues({ engine, queues, buildId, concurrency, run });
  const watchdog = startWatchdog({ ...resources, queues, buildId, concurrency, consumers, deafAfterMs });
  const workerId = lease.workerId();
  logger.info({ workerId, buildId, queues, concurrency, engine: engine.kind }, 'worker started');

  return {
    runningJobs: running.count,
    async stop(giveUp) {
      closing = true;
      if (giveUp) running.stopAll(giveUp);
      const loops = [dispatch.loops, share, rescue.loops, maintenance, deadLetters, watchdog, engineWatch];
      const parts = { lease, services: loops.flat(), consumers, claimer, running, notifications };
      const leaveLanes = () => giveLanesBack(db, queues);
      const timeoutMs = giveUp ? GIVE_UP_TIMEOUT_MS : config.SHUTDOWN_TIMEOUT_MS;
      await shutDown({ ...parts, leaveLanes, timeoutMs, logger });
      await stopCounting();
    },
  };
}

function startLease(
  { config, heartbeatDb, logger }: WorkerResources,
  of: {
    queues: string[];
    buildId: string;
    running: RunningAttempts;
    meter: FinishMeter;
    engineWatch: EngineWatch;
  },
): Promise<Lease> {
  return holdLease({
    db: heartbeatDb,
    queues: of.queues,
    buildId: of.buildId,
    concurrency: config.WORKER_CONCURRENCY,
    heartbeatMs: config.HEARTBEAT_MS,
    finishedPerSecond: () => of.meter.read(performance.now()),
    isEngineUp: of.engineWatch.isUp,
    onLost: () => of.running.stopAll('leaseLost'),
    logger,
  });
}

/** Where this was the last worker of its build, others would find its jobs only when they next look for such. */
async function giveLanesBack(db: Database, queues: string[]): Promise<void> {
  for (const queue of queues)
    if ((await takeBackFromGoneBuilds(db, queue)) > 0) await notify(db, CHANNELS.jobReady, queue);
}

function executeInSlots(
  execute: AttemptSteps['execute'],
  slotsFor: (job: ClaimedJob) => HandlerSlots,
): AttemptSteps['execute'] {
  return async (job, signal, logger) =>
    (await slotsFor(job).run(job, () => execute(job, signal, logger), signal)) ?? notStarted(signal);
}

/** A job that got no slot is given back, and burns no attempt; one that was canceled meanwhile is canceled. */
function notStarted(signal: AbortSignal): AttemptResult {
  return { kind: 'aborted', reason: signal.reason === 'canceled' ? 'canceled' : 'shutdown' };
}

function tellWhoWaits(
  meter: FinishMeter,
  dispatch: Dispatch,
  announceFinished: (jobId: string) => void,
): AttemptSteps['announce'] {
  return (job, status) => {
    meter.count(job.queue);
    if (status === 'retrying') dispatch.dueSoon();
    if (job.isLimited || status === 'queued') dispatch.soon(job.queue);
    if (!isTerminal(status)) return;
    announceFinished(job.id);
    if (job.hasWebhook) dispatch.soon(DELIVERY_QUEUE);
  };
}

function listenForHints(
  { config }: WorkerResources,
  dispatch: Dispatch,
  running: RunningAttempts,
  onError: (error: unknown) => void,
) {
  const listeners = {
    [CHANNELS.jobReady]: dispatch.hint,
    [CHANNELS.jobScheduled]: dispatch.dueSoon,
    [CHANNELS.cancelRequested](jobIds: string) {
      for (const jobId of jobIds.split(',')) running.stop(jobId, 'canceled');
    },
  };
  return listen(config.DATABASE_URL, listeners, { applicationName: 'accepted-worker-listen', onError });
}
