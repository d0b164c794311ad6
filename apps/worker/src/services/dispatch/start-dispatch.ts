import type { Engine } from '@accepted/shared/engine/engine';
import type { Database } from '@accepted/shared/ledger/connection/connect';
import type { Logger } from 'pino';
import type { WorkerCounters } from '../../metrics/worker-counters.ts';
import type { Loop } from '../loop.ts';
import { type DispatcherOptions, startDispatcher } from './dispatcher.ts';
import { startDueJobs } from './due-jobs.ts';
import { startReconciler } from './reconciler.ts';
import type { TenantShare } from './tenant-share.ts';

/** Everything that brings jobs from the ledger into the engine. */
export interface Dispatch {
  /** Has a queue looked at now, as this process knows of something new in it. */
  soon(queue: string): void;
  /** Has a queue looked at that all workers were told of: by this one, unless another serves it. */
  hint(queue: string): void;
  /** Has the times looked at again, as a job got one that may be sooner than the others. */
  dueSoon(): void;
  loops: Loop[];
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
  const soon = (queue: string) => dispatchers.get(queue)?.wake();
  const dueJobs = startDueJobs({ db, onQueued: soon, onError });
  const reconciler = startReconciler({ db, engine, queues, onTakenBack: soon, counters, logger });
  return {
    soon,
    hint: (queue) => dispatchers.get(queue)?.hint(),
    dueSoon: dueJobs.wake,
    loops: [...dispatchers.values(), dueJobs, reconciler],
  };
}
