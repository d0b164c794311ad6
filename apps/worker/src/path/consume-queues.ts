import type { DispatchKey } from '@accepted/shared/core/job/dispatch-key';
import { type Engine, readDelivery } from '@accepted/shared/engine/engine';
import { laneName } from '@accepted/shared/engine/lane-name';
import type { Worker } from 'bullmq';

/** Takes deliveries from the engine, so many of a queue at once. */
export interface EngineConsumers {
  /** How many deliveries of a queue are being worked on. */
  underWay(queue: string): number;
  /** For how long no delivery of a queue has come. */
  silentForMs(queue: string): number;
  /** Takes no further deliveries; those under way go on. */
  pause(): Promise<void>;
  /** Lets go of the engine without waiting for it: closing politely hangs while Redis is down. */
  close(): Promise<void>;
}

/**
 * Starts a BullMQ worker for the lane that this build has of each queue. BullMQ only hands deliveries over here: attempts, retries and outcomes are
 * the ledger's, so the processor resolves whatever became of the jobs.
 */
export function consumeQueues(options: {
  engine: Engine;
  queues: string[];
  buildId: string;
  /** How many deliveries of a queue to take at once. */
  concurrency: number;
  run: (queue: string, delivery: DispatchKey[]) => Promise<void>;
  onError: (error: unknown) => void;
}): EngineConsumers {
  const { engine, buildId, concurrency, run, onError } = options;
  const consumers = new Map(options.queues.map((queue) => [queue, consume(queue)]));

  function consume(queue: string) {
    const state = { underWay: 0, lastAtMs: performance.now() };
    async function process(job: { data: unknown }): Promise<void> {
      state.underWay += 1;
      state.lastAtMs = performance.now();
      try {
        await run(queue, readDelivery(job.data));
      } finally {
        state.underWay -= 1;
        state.lastAtMs = performance.now();
      }
    }
    const lane = laneName(queue, buildId);
    const worker: Worker = engine.openWorker(lane, process, { concurrency });
    // Whoever removed the lane while the build was gone may have died between its pause and its end.
    worker.on('ready', () => void engine.queue(lane).resume().catch(onError));
    return { state, worker };
  }

  const workers = [...consumers.values()].map((consumer) => consumer.worker);
  return {
    underWay: (queue) => consumers.get(queue)?.state.underWay ?? 0,
    silentForMs: (queue) => performance.now() - (consumers.get(queue)?.state.lastAtMs ?? 0),
    async pause() {
      await Promise.all(workers.map((worker) => worker.pause(true)));
    },
    async close() {
      await Promise.all(workers.map((worker) => worker.close(true)));
    },
  };
}
