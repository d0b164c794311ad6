import type { Engine } from '@accepted/shared/engine/engine';
import type { Database } from '@accepted/shared/ledger/connection/connect';
import { CHANNELS, notify } from '@accepted/shared/ledger/connection/notifications';
import { createTeller } from '@accepted/shared/ledger/connection/teller';
import type { Logger } from 'pino';
import type { WorkerCounters } from '../../metrics/worker-counters.ts';
import type { Loop } from '../loop.ts';
import type { OneService, ServiceLeases } from '../service-leases.ts';
import { type Dispatcher, type DispatcherOptions, startDispatcher } from './dispatcher.ts';
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
  /** Tells the dispatcher of a queue, if it is here, that a handler has ended; it looks now and then at those that end elsewhere. */
  slotCameFree(queue: string): void;
  /** Has the times looked at again, wherever that is done, as a job of this queue got one that may be sooner than the others. */
  timesHaveChanged(queue: string): void;
  /** Has the times looked at again if that is done here: all workers were told. */
  allWereToldOfTimes(): void;
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
    queues.map((queue): [string, Served<Dispatcher>] => {
      const service = services.one(`dispatcher of ${queue}`);
      const loop = startDispatcher({
        ...{ db, service, engine, queue, share, logger, onError },
        times: timesOf(queue),
      });
      return [queue, { service, loop }];
    }),
  );
  const workTeller = createTeller((queue) => notify(db, CHANNELS.queueHasWork, queue), onError);
  const timesTeller = createTeller((queue) => notify(db, CHANNELS.timesHaveChanged, queue), onError);

  function queueHasWork(queue: string): void {
    if (!wakeIfHere(dispatchers.get(queue))) workTeller.tell(queue);
  }

  const dueService = services.one('due jobs');
  const dueJobs = {
    service: dueService,
    loop: startDueJobs({ db, service: dueService, queueHasWork, onError }),
  };
  const reconciler = startReconciler({
    ...{ db, service: services.one('reconciler'), engine, queueHasWork, counters, logger },
  });
  const forgetting = startForgettingMovements({ db, service: services.one('forgetting'), onError });
  const tellers = [workTeller, timesTeller].map(({ drain }) => ({ stop: drain }));
  return {
    queueHasWork,
    allWereTold: (queue) => void wakeIfHere(dispatchers.get(queue)),
    slotCameFree(queue) {
      const { service, loop } = dispatchers.get(queue) ?? {};
      if (service?.isHeld()) loop?.slotCameFree();
    },
    timesHaveChanged(queue) {
      if (!wakeIfHere(dueJobs)) timesTeller.tell(queue);
    },
    allWereToldOfTimes: () => void wakeIfHere(dueJobs),
    loops: [
      ...dispatchers.values().map(({ loop }) => loop),
      ...[dueJobs.loop, reconciler, forgetting, ...tellers],
    ],
  };
}

/** A loop that this worker runs while it has the lease. */
interface Served<Kind extends Loop = Loop> {
  service: OneService;
  loop: Kind;
}

function wakeIfHere(served: Served | undefined): boolean {
  if (!served?.service.isHeld()) return false;
  served.loop.wake();
  return true;
}
