import type { DispatchKey } from '@accepted/shared/core/job/dispatch-key';
import type { Takes } from '@accepted/shared/core/overload/slow-worker';
import type { Consumer, Engine, LaneConsumer } from '@accepted/shared/engine/engine';

/** Takes deliveries from the engine, so many of a queue at once. */
export interface QueueConsumers extends Consumer {
  /** From now on has deliveries of a queue's lane come again whose worker was lost. */
  bringBackLost(queue: string): void;
  /** Takes all that it can from now on, a delivery of each queue at a time, or nothing, until it is paused for good. */
  take(takes: Takes): Promise<void>;
  /** How many deliveries of a queue are being worked on. */
  underWay(queue: string): number;
  /** For how long no delivery of a queue has come that it could have taken. */
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
  let taken: Takes = 'all';
  let isEnding = false;

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

  async function takeOf(queue: string, consumer: LaneConsumer, takes: Takes): Promise<void> {
    if (takes === 'none') return await consumer.pause();
    await consumer.goOn({ concurrency: takes === 'few' ? 1 : slotsIn(queue) });
  }

  return {
    bringBackLost: (queue) => consumers.get(queue)?.bringBackLost(),
    underWay: (queue) => states.get(queue)?.underWay ?? 0,
    silentForMs: (queue) => (taken === 'all' ? performance.now() - (states.get(queue)?.lastAtMs ?? 0) : 0),
    async take(takes) {
      if (isEnding) return;
      taken = takes;
      for (const state of states.values()) state.lastAtMs = performance.now();
      await Promise.all(consumers.entries().map(([queue, consumer]) => takeOf(queue, consumer, takes)));
    },
    async pause() {
      isEnding = true;
      await Promise.all(consumers.values().map((consumer) => consumer.pause()));
    },
    async close() {
      await Promise.all(consumers.values().map((consumer) => consumer.close()));
    },
  };
}
