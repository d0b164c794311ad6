import type { Engine } from '@accepted/shared/engine/engine';
import type { Database } from '@accepted/shared/ledger/connection/connect';
import { CHANNELS, notify } from '@accepted/shared/ledger/connection/notifications';
import { createWorkTeller } from '@accepted/shared/ledger/connection/work-teller';
import type { Logger } from 'pino';
import type { WorkerCounters } from '../../metrics/worker-counters.ts';
import type { Loop } from '../loop.ts';
import type { ServiceLeases } from '../service-leases.ts';
import { type DispatcherOptions, startDispatcher } from './dispatcher.ts';
import { startDueJobs } from './due-jobs.ts';
import { startForgettingMovements } from './forget-movements.ts';
import { startReconciler } from './reconciler.ts';
import type { TenantShare } from './tenant-share.ts';

/** Everything that brings jobs from the ledger into the engine. */
export interface Dispatch {
  /** Has a queue looked at now, wherever its dispatcher is. */
  queueHasWork(queue: string): void;
  /** Has a queue looked at now if its dispatcher is here: all workers were told. */
  allWereTold(queue: string): void;
  /** Has the times looked at again, as a job got one that may be sooner than the others. */
  timesHaveChanged(): void;
  loops: Pick<Loop, 'stop'>[];
}

export function startDispatch(options: {
  db: Database;
  engine: Engine;
  queues: string[];
  services: Pick<ServiceLeases, 'one'>;
  timesOf: (queue: string) => DispatcherOptions['times'];
  share: TenantShare;
  counters: WorkerCounters;
  logger: Logger;
  onError: (error: unknown) => void;
}): Dispatch {
  const { db, engine, queues, services, timesOf, share, counters, logger, onError } = options;
  const dispatchers = new Map(
    queues.map((queue) => {
      const service = services.one(`dispatcher of ${queue}`);
      const loop = startDispatcher({ db, service, engine, queue, times: timesOf(queue), share, onError });
      return [queue, { service, loop }];
    }),
  );
  const teller = createWorkTeller((queue) => notify(db, CHANNELS.queueHasWork, queue), onError);

  function wakeIfHere(queue: string): boolean {
    const dispatcher = dispatchers.get(queue);
    if (!dispatcher?.service.isHeld()) return false;
    dispatcher.loop.wake();
    return true;
  }

  function queueHasWork(queue: string): void {
    if (!wakeIfHere(queue)) teller.queueHasWork(queue);
  }

  const dueJobs = startDueJobs({ db, service: services.one('due jobs'), queueHasWork, onError });
  const reconciler = startReconciler({
    ...{ db, service: services.one('reconciler'), engine, queueHasWork, counters, logger },
  });
  const forgetting = startForgettingMovements({ db, service: services.one('forgetting'), onError });
  return {
    queueHasWork,
    allWereTold: wakeIfHere,
    timesHaveChanged: dueJobs.wake,
    loops: [
      ...dispatchers.values().map(({ loop }) => loop),
      dueJobs,
      reconciler,
      forgetting,
      { stop: teller.drain },
    ],
  };
}
