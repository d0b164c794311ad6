import { parsePublicId } from '@accepted/shared/core/job/id';
import type { Consumer, Engine } from '@accepted/shared/engine/engine';
import type { Database } from '@accepted/shared/ledger/connection/connect';
import { replayDeadLetter } from '@accepted/shared/ledger/dead-letters/dead-letters';
import type { Logger } from 'pino';

const CONCURRENCY = 10;
const RETRY_IN_BULL_BOARD = { actor: 'bull-board', reason: 'retried in Bull Board' };

/** Has the entries of dead letters show, and replays those that are retried in Bull Board. */
export function consumeRetries(options: {
  db: Database;
  engine: Engine;
  queues: string[];
  queueHasWork: (queue: string) => void;
  logger: Logger;
}): Pick<Consumer, 'close'> {
  const { db, engine, queues, queueHasWork, logger } = options;

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

  const consumers = queues.map((queue) => engine.shelf(queue).consume(replay, { concurrency: CONCURRENCY }));
  return {
    async close() {
      await Promise.all(consumers.map((consumer) => consumer.close()));
    },
  };
}
