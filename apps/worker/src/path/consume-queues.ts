import type { DispatchKey } from '@accepted/shared/core/job/dispatch-key';
import type { Consumer, Engine } from '@accepted/shared/engine/engine';
import type { ServiceLeases } from '../services/service-leases.ts';

/** Takes deliveries from the engine, so many of a queue at once. */
export interface QueueConsumers extends Consumer {
  /** How many deliveries of a queue are being worked on. */
  underWay(queue: string): number;
  /** For how long no delivery of a queue has come. */
  silentForMs(queue: string): number;
}

/** Starts taking from the lane that this build has of each queue. A delivery is done whatever became of its jobs. */
export function consumeQueues(options: {
  engine: Engine;
  queues: string[];
  services: Pick<ServiceLeases, 'one'>;
  buildId: string;
  /** How many deliveries of a queue to take at once. */
  concurrency: number;
  run: (queue: string, delivery: DispatchKey[]) => Promise<void>;
}): QueueConsumers {
  const { engine, services, buildId, concurrency, run } = options;
  const states = new Map<string, { underWay: number; lastAtMs: number }>();
  const consumers = options.queues.map(consume);

  function consume(queue: string): Consumer {
    const state = { underWay: 0, lastAtMs: performance.now() };
    states.set(queue, state);
    async function take(delivery: DispatchKey[]): Promise<void> {
      state.underWay += 1;
      state.lastAtMs = performance.now();
      try {
        await run(queue, delivery);
      } finally {
        state.underWay -= 1;
        state.lastAtMs = performance.now();
      }
    }
    const consumer = engine.consume({ queue, buildId }, take, { concurrency });
    services.one(`lost deliveries of ${queue}, ${buildId}`).onGained(consumer.bringBackLost);
    return consumer;
  }

  return {
    underWay: (queue) => states.get(queue)?.underWay ?? 0,
    silentForMs: (queue) => performance.now() - (states.get(queue)?.lastAtMs ?? 0),
    async pause() {
      await Promise.all(consumers.map((consumer) => consumer.pause()));
    },
    async close() {
      await Promise.all(consumers.map((consumer) => consumer.close()));
    },
  };
}
