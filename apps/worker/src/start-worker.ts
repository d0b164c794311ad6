import { listCancelRequests } from '@accepted/shared/database/cancel-jobs';
import type { Database } from '@accepted/shared/database/connect';
import { registerJobTypes } from '@accepted/shared/database/job-types';
import { CHANNELS, listen } from '@accepted/shared/database/notifications';
import { isTerminal } from '@accepted/shared/job/status';
import type { Engine } from '@accepted/shared/queue/engine';
import { DELIVERY_QUEUE } from '@accepted/shared/webhook/event';
import type { Logger } from 'pino';
import { createAnnouncer } from './attempt/announcer.ts';
import { createClaimer } from './attempt/claimer.ts';
import { createExecutor } from './attempt/executor.ts';
import { createFinishMeter } from './attempt/finish-meter.ts';
import { createRecorder } from './attempt/recorder.ts';
import { createRunningAttempts } from './attempt/running-attempts.ts';
import type { WorkerConfig } from './config.ts';
import { startDispatcher } from './dispatch/dispatcher.ts';
import { startDueJobs } from './dispatch/due-jobs.ts';
import { startReconciler } from './dispatch/reconciler.ts';
import { describeJobType } from './handlers/describe-job-type.ts';
import type { LoadedHandler } from './handlers/loaded-handler.ts';
import type { Loop } from './loop.ts';
import { startExpirer } from './maintenance/expirer.ts';
import { holdLease } from './rescue/lease.ts';
import { startRescuer } from './rescue/rescuer.ts';
import { type AttemptSteps, runAttempt } from './run-attempt.ts';
import { shutDown } from './shut-down.ts';
import { consumeQueues } from './worker.ts';

export interface WorkerResources {
  db: Database;
  engine: Engine;
  handlers: LoadedHandler[];
  versions: Record<string, string>;
  logger: Logger;
}

/** Starts everything that a worker process does, and answers the function that ends it in order. */
export async function startWorker(
  config: WorkerConfig,
  { db, engine, handlers, versions, logger }: WorkerResources,
): Promise<{ stop(): Promise<void> }> {
  const queues = [...new Set(handlers.map((handler) => handler.queue))].sort();
  const concurrency = config.WORKER_CONCURRENCY;
  const running = createRunningAttempts();
  const meter = createFinishMeter(performance.now());
  const onError = (error: unknown) =>
    logger.warn({ err: error }, 'a background service failed; it is tried again');
  const announceFinished = createAnnouncer(db, onError);
  let closing = false;

  await registerJobTypes(db, handlers.map(describeJobType));
  const lease = await holdLease({
    db,
    queues,
    concurrency,
    heartbeatMs: config.HEARTBEAT_MS,
    finishedPerSecond: () => meter.read(performance.now()),
    onLost: () => running.stopAll('leaseLost'),
    onHeartbeat: async () => stopCanceled(await listCancelRequests(db, lease.workerId())),
    logger,
  });

  const dispatchers = new Map(
    queues.map((queue) => [queue, startDispatcher({ db, engine, queue, onError })]),
  );
  const dispatchSoon = (queue: string) => dispatchers.get(queue)?.wake();
  const stopCanceled = (jobIds: string[]) => {
    for (const jobId of jobIds) running.stop(jobId, 'canceled');
  };

  const steps: AttemptSteps = {
    claim: createClaimer({ db, workerId: lease.workerId, isClosing: () => closing, logger }),
    execute: createExecutor({ db, handlers, config, logger }),
    record: createRecorder({ db, versions, logger }),
    announce(job, status) {
      meter.count(job.queue);
      if (!isTerminal(status)) return status === 'retrying' ? dueJobs.wake() : dispatchSoon(job.queue);
      announceFinished(job.id);
      if (job.hasWebhook) dispatchSoon(DELIVERY_QUEUE);
    },
    running,
    logger,
  };

  const dueJobs = startDueJobs({ db, onQueued: dispatchSoon, onError });
  const services: Loop[] = [
    dueJobs,
    ...dispatchers.values(),
    startReconciler({ db, engine, queues, onTakenBack: dispatchSoon, logger }),
    startRescuer({
      db,
      lease,
      leaseMs: config.LEASE_MS,
      heartbeatMs: config.HEARTBEAT_MS,
      versions,
      onRescued: dispatchSoon,
      logger,
    }),
    startExpirer({ db, onExpired: announceFinished, onError }),
  ];
  const notifications = listen(
    config.DATABASE_URL,
    {
      [CHANNELS.jobReady]: dispatchSoon,
      [CHANNELS.cancelRequested]: (payload) => stopCanceled(payload.split(',')),
    },
    { applicationName: 'accepted-worker-listen', onError },
  );
  const consumers = consumeQueues({
    engine,
    queues,
    concurrency,
    run: (delivery) => runAttempt(steps, delivery),
  });
  logger.info({ workerId: lease.workerId(), queues, concurrency, engine: engine.kind }, 'worker started');

  return {
    stop() {
      closing = true;
      return shutDown({
        lease,
        services,
        consumers,
        running,
        notifications,
        timeoutMs: config.SHUTDOWN_TIMEOUT_MS,
        logger,
      });
    },
  };
}
