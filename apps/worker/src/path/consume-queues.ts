import type { DispatchKey } from '@accepted/shared/core/job/dispatch-key';
import type { Consumer, Engine, LaneConsumer } from '@accepted/shared/engine/engine';

/** Takes deliveries from the engine, so many of a queue at once. */
export interface QueueConsumers extends Consumer {
  /** From now on has deliveries of a queue's lane come again whose worker was lost. */
  bringBackLost(queue: string): void;
  /** How many deliveries of a queue are being worked on. */
  underWay(queue: string): number;
  /** For how long no delivery of a queue has come. */
  silentForMs(queue: string): number;
}

/** Starts taking from the lane that this build has of each queue. A delivery is done whatever became of its jobs. */
export function consumeQueues(options: {
  engine: Engine;
  queues: string[];
  buildId: string;
  /** How many deliveries of a queue to take at once. */
  slotsIn: (queue: string) => number;
  run: (queue: string, delivery: DispatchKey[]) => Promise<void>;
}): QueueConsumers {
  const { engine, buildId, slotsIn, run } = options;
  const states = new Map<string, { underWay: number; lastAtMs: number }>();
  const consumers = new Map(options.queues.map((queue) => [queue, consume(queue)]));

  function consume(queue: string): LaneConsumer {
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
    return engine.consume({ queue, buildId }, take, { concurrency: slotsIn(queue) });
  }

  return {
    bringBackLost: (queue) => consumers.get(queue)?.bringBackLost(),
    underWay: (queue) => states.get(queue)?.underWay ?? 0,
    silentForMs: (queue) => performance.now() - (states.get(queue)?.lastAtMs ?? 0),
    async pause() {
      await Promise.all(consumers.values().map((consumer) => consumer.pause()));
    },
    async close() {
      await Promise.all(consumers.values().map((consumer) => consumer.close()));
    },
  };
}
