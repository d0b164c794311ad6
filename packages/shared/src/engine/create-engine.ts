import type { JobType, Queue } from 'bullmq';
import type { DispatchKey } from '../core/job/dispatch-key.ts';
import type { BullmqStore } from './bullmq-store.ts';
import { describeDelivery, keyText, readDelivery } from './delivery.ts';
import type { Engine, EngineJob, Lane, LaneConsumer, Shelf } from './engine.ts';
import { laneName } from './names.ts';
import { openShelf } from './shelf.ts';

/** Makes the engine that speaks of queues and lanes where BullMQ has queues of its own. */
export function createEngine(store: BullmqStore, onError: (error: Error) => void): Engine {
  const shelves = new Map<string, Shelf>();
  const queueOf = (lane: Lane) => store.queue(laneName(lane));

  async function deliver(lane: Lane, deliveries: EngineJob[][], { isAhead = false } = {}): Promise<void> {
    const queue = queueOf(lane);
    const described = deliveries.map((jobs) => describeDelivery(jobs, isAhead));
    // The one that is added last is the first.
    const added = isAhead ? described.toReversed() : described;
    if (added.length >= store.bulkFrom) await queue.addBulk(added);
    else for (const { name, data, opts } of added) await queue.add(name, data, opts);
  }

  /** BullMQ only hands deliveries over: attempts, retries and outcomes are the ledger's. */
  function consume(
    lane: Lane,
    take: (delivery: DispatchKey[]) => Promise<void>,
    options: { concurrency: number },
  ): LaneConsumer {
    const settings = { ...options, skipStalledCheck: true };
    const worker = store.openWorker(laneName(lane), (job) => take(readDelivery(job.data)), settings);
    // Whoever removed the lane while the build was gone may have died between its pause and its end.
    worker.on('ready', () => void queueOf(lane).resume().catch(onError));
    return {
      pause: () => worker.pause(true),
      close: () => worker.close(true),
      async goOn({ concurrency }) {
        worker.concurrency = concurrency;
        // It looks at the number when one of its deliveries ends, and when it goes on after a pause.
        await worker.pause(true);
        await worker.resume();
      },
      bringBackLost() {
        worker.opts.skipStalledCheck = false;
        worker.startStalledCheckTimer().catch(onError);
      },
    };
  }

  return {
    kind: store.kind,
    isReady: store.isReady,
    wasWiped: store.wasWiped,
    fullness: store.fullness,
    close: store.close,
    deliver,
    consume,
    missing: (lane, jobs) => missingFrom(queueOf(lane), jobs),
    isWaiting: (lane, jobs) => waitsIn(queueOf(lane), jobs),
    removeLane: (lane) => queueOf(lane).obliterate({ force: true }),
    shelf(queue) {
      const shelf = shelves.get(queue) ?? openShelf(store, queue);
      shelves.set(queue, shelf);
      return shelf;
    },
  };
}

/** Waiting ones first: one that is taken between two looks is then seen among the active ones. */
const STATES_OF_WAITING = ['waiting', 'prioritized', 'delayed'] as const;

/** BullMQ 6.7 takes the time of a lock on Postgres from the clock of the worker: one that is gone may hold it without end. */
async function missingFrom<Dispatched extends DispatchKey & { isOverdue?: boolean }>(
  queue: Queue,
  jobs: Dispatched[],
): Promise<Dispatched[]> {
  const waiting = await dispatchesIn(queue, [...STATES_OF_WAITING]);
  const active = await dispatchesIn(queue, ['active']);
  return jobs.filter((job) => {
    const key = keyText(job);
    return !waiting.has(key) && (job.isOverdue === true || !active.has(key));
  });
}

async function waitsIn(queue: Queue, jobs: DispatchKey[]): Promise<boolean> {
  if (jobs.length === 0) return false;
  const waiting = await dispatchesIn(queue, ['waiting']);
  return jobs.some((job) => waiting.has(keyText(job)));
}

/** Reads the whole BullMQ queue, which the window bounds. */
async function dispatchesIn(queue: Queue, states: JobType[]): Promise<Set<string>> {
  const deliveries = await queue.getJobs(states);
  return new Set(deliveries.flatMap(({ data }) => readDelivery(data).map(keyText)));
}
