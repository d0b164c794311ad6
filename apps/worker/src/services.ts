import type { ClaimedJob } from '@accepted/shared/core/job/claimed-job';
import type { DispatchKey } from '@accepted/shared/core/job/dispatch-key';
import { DELIVERY_QUEUE } from '@accepted/shared/core/webhook/event';
import type { Engine } from '@accepted/shared/engine/engine';
import type { Database } from '@accepted/shared/ledger/connection/connect';
import { CHANNELS, listen, notify } from '@accepted/shared/ledger/connection/notifications';
import { takeBackFromGoneBuilds } from '@accepted/shared/ledger/jobs/unclaimed-jobs';
import type { OpenSeconds } from '@accepted/shared/ledger/outbound/breakers';
import type { Logger } from 'pino';
import type { WorkerConfig } from './config.ts';
import type { LoadedHandler } from './handlers/loaded-handler.ts';
import { registerOwnBuild } from './handlers/register-own-build.ts';
import { type Breakers, createBreakers } from './outbound/breakers.ts';
import { createAnnouncer } from './path/announcer.ts';
import { byQueue } from './path/by-queue.ts';
import { createClaimer } from './path/claimer.ts';
import { consumeQueues, type QueueConsumers } from './path/consume-queues.ts';
import { createExecutor } from './path/executor.ts';
import { createFinishMeter, type FinishMeter } from './path/finish-meter.ts';
import { createHandlerSlots } from './path/handler-slots.ts';
import { createHandlerTimes, type HandlerTimes } from './path/handler-times.ts';
import { limitUnderWay } from './path/outcomes-under-way.ts';
import { createRefusingSchema } from './path/own-schemas.ts';
import { createRecorder } from './path/recorder.ts';
import { createRetryBudgets } from './path/retry-budgets.ts';
import { type AttemptPath, runAttempt } from './path/run-attempt.ts';
import { createDeliveryRunner } from './path/run-delivery.ts';
import { createRunningAttempts, type RunningAttempts, type StopReason } from './path/running-attempts.ts';
import { startDeadLetters } from './services/dead-letters/start-dead-letters.ts';
import { type Dispatch, startDispatch } from './services/dispatch/start-dispatch.ts';
import { createTenantShare, type TenantShare } from './services/dispatch/tenant-share.ts';
import { startMaintenance } from './services/maintenance/start-maintenance.ts';
import { holdLease, type Lease } from './services/rescue/lease.ts';
import { createRest, type Rest } from './services/rescue/rest.ts';
import { startRescue } from './services/rescue/start-rescue.ts';
import { startWatchdog } from './services/rescue/watchdog.ts';
import { createServiceLeases, type ServiceLeases } from './services/service-leases.ts';
import { startCounting } from './services/start-counting.ts';
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

/** Whatever is missed by a listener whose link is dead is found by a poll, and by far sooner. */
const PROBE_EVERY_MS = 5_000;

export interface WorkerResources {
  /** The key of the secrets goes no further than `main.ts`; what handlers see is read where their processes start. */
  config: Omit<WorkerConfig, 'SECRETS_KEY' | 'HANDLER_ENV' | 'HANDLER_PERMISSIONS'>;
  db: Database;
  /** A connection for the heartbeats alone. */
  heartbeatDb: Database;
  engine: Engine;
  handlers: LoadedHandler[];
  /** For how long calls are not made that fail. */
  breakersOpenSeconds?: OpenSeconds;
  /** Stand in every dead letter: what ran when it died. */
  versions: Record<string, string>;
  /** Asks for this process to be ended and started anew. */
  onDeaf: () => void;
  logger: Logger;
}

/** A worker process at work. */
export interface StartedWorker {
  /** What the log says of it. */
  facts: Record<string, unknown>;
  /** Ends it in order. With a reason it ends soon: jobs that run are given back at once instead of being waited for. */
  stop(giveUp?: GiveUpReason): Promise<void>;
  runningJobs(): number;
}

/** Whether one of the running jobs may be the reason, so that they have to show it in processes of their own. */
export type GiveUpReason = Extract<StopReason, 'shutdown' | 'suspected'>;

/** Starts everything that a worker process does. */
export async function startWorker(resources: WorkerResources): Promise<StartedWorker> {
  const { config, db, engine, handlers, versions, logger } = resources;
  const { WORKER_CONCURRENCY: concurrency, HEARTBEAT_MS: heartbeatMs, WATCHDOG_MS: deafAfterMs } = config;
  const { HANDLER_LOG_LEVEL: logLevel } = config;
  const own = slotsByQueue(config);
  const slotsIn = (queue: string) => own[queue] ?? concurrency;
  const queues = queuesOf(handlers);
  const onError = (error: unknown) =>
    logger.warn({ err: error }, 'a background service failed; it is tried again');
  const running = createRunningAttempts();
  const meter = createFinishMeter(performance.now());
  const { counters, stopCounting } = startCounting({ db, intervalMs: heartbeatMs, onError });
  let closing = false;

  const { id: buildId, types } = await registerOwnBuild(db, handlers, versions);
  const engineWatch = watchEngine(engine, heartbeatMs);
  const services = createServiceLeases();
  const timesOf = createTimes(slotsIn);
  const times = () => queues.map(timesOf);
  const rest = createRest({ db: resources.heartbeatDb, heartbeatMs, times, logger });
  const leaseParts = { queues, buildId, running, meter, timesOf, engineWatch, services, rest };
  const lease = await startLease(resources, leaseParts);
  const share = createTenantShare(config.MAX_TENANT_SHARE, lease.hasSeveralTenants);
  const { slotsOf, slotsFor } = createSlots(slotsIn, timesOf, share);
  const common = { db, engine, queues, services, counters, logger, onError };
  const dispatch = startDispatch({ ...common, timesOf, share });
  const { queueHasWork } = dispatch;
  const breakers = createBreakers({ ...common, ...dispatch, openSeconds: resources.breakersOpenSeconds });
  const notifications = listenForHints(resources, { dispatch, lease, running, breakers, onError });
  const announcer = createAnnouncer({ db, dispatch, onError });
  const maintenance = startMaintenance({ ...resources, services, onExpired: announcer.jobFinished, onError });
  const deadLetters = startDeadLetters({ ...common, queueHasWork });
  const claimer = createClaimer({ db, workerId: lease.workerId, isClosing: () => closing, logger });
  const recorder = createRecorder({ db, versions, logger });
  const rescue = startRescue({ ...resources, ...common, lease, running, claimer, recorder, queueHasWork });
  const refusingSchema = createRefusingSchema(types, logger);
  const executor = createExecutor({ db, handlers, refusingSchema, slotsFor, breakers, logLevel });
  const stages = { claimer, running, executor, recorder, counters, meter, announcer, logger };
  const path = pathOf({ ...stages, ownJobs: rescue.ownJobs });
  const runOne = (dispatched: DispatchKey) => runAttempt(path, dispatched);
  const run = createDeliveryRunner({ slotsIn, slotsOf, runOne });
  const consumers = startConsuming({ engine, queues, buildId, slotsIn, run }, { services, rest });
  const watchdog = startWatchdog({ ...resources, queues, buildId, slotsIn, consumers, deafAfterMs });
  const loops = [dispatch.loops, rescue.loops, maintenance, deadLetters, watchdog, engineWatch, rest].flat();
  lease.lookForServices();
  const parts = { lease, consumers, claimer, running, notifications, logger };
  return {
    facts: { workerId: lease.workerId(), buildId, queues, concurrency, engine: engine.kind },
    runningJobs: running.count,
    async stop(giveUp) {
      closing = true;
      if (giveUp) running.stopAll(giveUp);
      const timeoutMs = giveUp ? GIVE_UP_TIMEOUT_MS : config.SHUTDOWN_TIMEOUT_MS;
      const background = [...loops, { stop: breakers.drain }];
      const leaveLanes = () => giveLanesBack(db, queues);
      await shutDown({ ...parts, services: background, leaveLanes, timeoutMs });
      await stopCounting();
    },
  };
}

/** What an attempt passes through, with what is of this process alone. */
function pathOf(stages: Omit<AttemptPath, 'retryBudgets' | 'unlessTooMany'>): AttemptPath {
  const unlessTooMany = limitUnderWay(MAX_OUTCOMES_UNDER_WAY);
  return { ...stages, retryBudgets: createRetryBudgets(), unlessTooMany };
}

const queuesOf = (handlers: LoadedHandler[]) => [...new Set(handlers.map(({ queue }) => queue))].sort();

/** Of which queues a worker has another number of slots. */
function slotsByQueue({ WEBHOOK_CONCURRENCY }: WorkerResources['config']): Record<string, number> {
  return { [DELIVERY_QUEUE]: WEBHOOK_CONCURRENCY };
}

/** Makes what measures the handlers of each queue. */
function createTimes(slotsIn: (queue: string) => number): (queue: string) => HandlerTimes {
  const now = () => performance.now();
  return byQueue((queue) => createHandlerTimes({ slots: slotsIn(queue), now }));
}

/** Makes the slots in which handlers run: those of a queue, and those that a job has to find one in. */
function createSlots(
  slotsIn: (queue: string) => number,
  timesOf: (queue: string) => HandlerTimes,
  share: TenantShare,
) {
  const optionsOf = (queue: string) => {
    const slots = slotsIn(queue);
    return { slots, mostPerTenant: () => share.mostHere(slots) };
  };
  const slotsOf = byQueue((queue) => createHandlerSlots({ ...optionsOf(queue), times: timesOf(queue) }));
  const suspectSlotsOf = byQueue((queue) =>
    createHandlerSlots({ ...optionsOf(queue), maxWaitMs: SUSPECT_WAIT_MS }),
  );
  return {
    slotsOf,
    slotsFor: (job: ClaimedJob) => (job.suspect ? suspectSlotsOf : slotsOf)(job.queue),
  };
}

function startLease(
  { config, heartbeatDb, logger }: WorkerResources,
  of: {
    queues: string[];
    buildId: string;
    running: RunningAttempts;
    meter: FinishMeter;
    timesOf: (queue: string) => Pick<HandlerTimes, 'slowTypes'>;
    engineWatch: EngineWatch;
    services: ServiceLeases;
    rest: Rest;
  },
): Promise<Lease> {
  return holdLease({
    db: heartbeatDb,
    queues: of.queues,
    buildId: of.buildId,
    concurrency: config.WORKER_CONCURRENCY,
    slotsByQueue: slotsByQueue(config),
    heartbeatMs: config.HEARTBEAT_MS,
    finishedPerSecond: () => of.meter.read(performance.now()),
    slowTypes: () => of.queues.flatMap((queue) => of.timesOf(queue).slowTypes()),
    isEngineUp: of.engineWatch.isUp,
    engineFullness: of.engineWatch.fullness,
    services: of.services,
    rest: of.rest,
    onLost: () => of.running.stopAll('leaseLost'),
    logger,
  });
}

/** Takes deliveries while this worker does not rest. */
function startConsuming(
  options: Parameters<typeof consumeQueues>[0],
  { services, rest }: { services: Pick<ServiceLeases, 'one'>; rest: Pick<Rest, 'onChange'> },
): QueueConsumers {
  const { queues, buildId } = options;
  const consumers = consumeQueues(options);
  for (const queue of queues)
    services.one(`lost deliveries of ${queue}, ${buildId}`).onGained(() => consumers.bringBackLost(queue));
  rest.onChange(consumers.take);
  return consumers;
}

/** Where this was the last worker of its build, others would find its jobs only when they next look for such. */
async function giveLanesBack(db: Database, queues: string[]): Promise<void> {
  const takenBack = await takeBackFromGoneBuilds(db, queues);
  for (const queue of takenBack.keys()) await notify(db, CHANNELS.queueHasWork, queue);
}

function listenForHints(
  { config }: WorkerResources,
  {
    dispatch,
    lease,
    running,
    breakers,
    onError,
  }: {
    dispatch: Dispatch;
    lease: Lease;
    running: RunningAttempts;
    breakers: Pick<Breakers, 'hasChanged' | 'readAll'>;
    onError: (error: unknown) => void;
  },
) {
  const listeners = {
    [CHANNELS.queueHasWork]: dispatch.allWereTold,
    [CHANNELS.timesHaveChanged]: dispatch.allWereToldOfTimes,
    [CHANNELS.serviceIsFree]: lease.lookForServices,
    [CHANNELS.breakerHasChanged]: breakers.hasChanged,
    [CHANNELS.cancelRequested](jobIds: string) {
      for (const jobId of jobIds.split(',')) running.stop(jobId, 'canceled');
    },
  };
  return listen(config.DATABASE_URL, listeners, {
    applicationName: 'accepted-worker-listen',
    probeEveryMs: PROBE_EVERY_MS,
    onListening: breakers.readAll,
    onError,
  });
}
