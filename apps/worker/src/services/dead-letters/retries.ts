import { parsePublicId } from '@accepted/shared/core/job/id';
import type { Consumer, Engine } from '@accepted/shared/engine/engine';
import type { Database } from '@accepted/shared/ledger/connection/connect';
import { replayDeadLetter } from '@accepted/shared/ledger/dead-letters/dead-letters';
import type { Logger } from 'pino';

const CONCURRENCY = 10;
const RETRY_IN_BULL_BOARD = { actor: 'bull-board', reason: 'retried in Bull Board' };

/** Has the entries of dead letters show, and replays those that are retried in Bull Board. */
export interface Retries {
  /** Takes the entries of these queues, and of no others any more. */
  serve(queues: readonly string[]): void;
  close(): Promise<void>;
}

export function createRetries(options: {
  db: Database;
  engine: Engine;
  queueHasWork: (queue: string) => void;
  logger: Logger;
}): Retries {
  const { db, engine, queueHasWork, logger } = options;
  const consumers = new Map<string, Pick<Consumer, 'close'>>();

  async function replay(entryId: string): Promise<void> {
    const deadLetterId = parsePublicId('deadLetter', entryId);
    if (deadLetterId === undefined) return;
    try {
      const queue = await replayDeadLetter(db, deadLetterId, RETRY_IN_BULL_BOARD);
      if (queue !== undefined) queueHasWork(queue);
    } catch (error) {
      logger.warn({ err: error, deadLetterId: entryId }, 'a dead letter could not be replayed');
      throw error;
    }
  }

  async function leave(queue: string): Promise<void> {
    const consumer = consumers.get(queue);
    consumers.delete(queue);
    await consumer?.close();
  }

  return {
    serve(queues) {
      for (const queue of consumers.keys())
        if (!queues.includes(queue))
          leave(queue).catch((error: unknown) =>
            logger.warn({ err: error, queue }, 'a consumer of dead letters hangs'),
          );
      for (const queue of queues)
        if (!consumers.has(queue))
          consumers.set(queue, engine.shelf(queue).consume(replay, { concurrency: CONCURRENCY }));
    },
    close: async () => void (await Promise.all([...consumers.keys()].map(leave))),
  };
}
