import type { Engine } from '@accepted/shared/engine/engine';
import type { Database } from '@accepted/shared/ledger/connection/connect';
import type { Logger } from 'pino';
import type { WorkerCounters } from '../../metrics/worker-counters.ts';
import type { Loop } from '../loop.ts';
import { type DispatcherOptions, type KnownTo, startDispatcher } from './dispatcher.ts';
import { startDueJobs } from './due-jobs.ts';
import { startForgettingMovements } from './forget-movements.ts';
import { startReconciler } from './reconciler.ts';
import type { TenantShare } from './tenant-share.ts';

/** Everything that brings jobs from the ledger into the engine. */
export interface Dispatch {
  /** Has a queue looked at now; one of which all workers know by this one, unless another serves it. */
  queueHasWork(queue: string, knownTo?: KnownTo): void;
  /** Has the times looked at again, as a job got one that may be sooner than the others. */
  timesHaveChanged(): void;
  loops: Pick<Loop, 'stop'>[];
}

export function startDispatch(options: {
  db: Database;
  engine: Engine;
  queues: string[];
  timesOf: (queue: string) => DispatcherOptions['times'];
  share: TenantShare;
  counters: WorkerCounters;
  logger: Logger;
  onError: (error: unknown) => void;
}): Dispatch {
  const { db, engine, queues, timesOf, share, counters, logger, onError } = options;
  const dispatchers = new Map(
    queues.map((queue) => [
      queue,
      startDispatcher({ db, engine, queue, times: timesOf(queue), share, onError }),
    ]),
  );
  const queueHasWork: Dispatch['queueHasWork'] = (queue, knownTo = 'this worker') =>
    dispatchers.get(queue)?.queueHasWork(knownTo);
  const dueJobs = startDueJobs({ db, queueHasWork, onError });
  const reconciler = startReconciler({ db, engine, queues, queueHasWork, counters, logger });
  return {
    queueHasWork,
    timesHaveChanged: dueJobs.wake,
    loops: [...dispatchers.values(), dueJobs, reconciler, startForgettingMovements({ db, onError })],
  };
}
