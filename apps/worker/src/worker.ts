import type { Delivery } from '@accepted/shared/database/claim-jobs';
import { type Engine, parseEngineJobId } from '@accepted/shared/queue/engine';
import type { Worker } from 'bullmq';

/** Takes deliveries from the engine, at most `concurrency` of a queue at once. */
export interface EngineConsumers {
  /** Takes no further deliveries; those under way go on. */
  pause(): Promise<void>;
  /** Lets go of the engine without waiting for it: closing politely hangs while Redis is down. */
  close(): Promise<void>;
}

/**
 * Starts a BullMQ worker for each queue. BullMQ only hands deliveries over here: attempts, retries and outcomes are
 * the ledger's, so the processor resolves whatever became of the job.
 */
export function consumeQueues(options: {
  engine: Engine;
  queues: string[];
  concurrency: number;
  run: (delivery: Delivery) => Promise<void>;
}): EngineConsumers {
  const { engine, queues, concurrency, run } = options;

  async function process(job: { id?: string }): Promise<void> {
    const delivery = parseEngineJobId(job.id);
    if (delivery) await run(delivery);
  }

  const workers: Worker[] = queues.map((queue) => engine.openWorker(queue, process, { concurrency }));
  return {
    async pause() {
      await Promise.all(workers.map((worker) => worker.pause(true)));
    },
    async close() {
      await Promise.all(workers.map((worker) => worker.close(true)));
    },
  };
}
