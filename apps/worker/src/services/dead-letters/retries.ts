import { parsePublicId } from '@accepted/shared/core/job/id';
import { deadLetterQueueName, type Engine } from '@accepted/shared/engine/engine';
import type { Database } from '@accepted/shared/ledger/connection/connect';
import { replayDeadLetter } from '@accepted/shared/ledger/dead-letters/dead-letters';
import type { Job } from 'bullmq';
import type { Logger } from 'pino';
import { originalError } from './entry.ts';

const CONCURRENCY = 10;

/**
 * Runs the entries of dead letters. The first run fails with the error that the job died of: that is what puts the
 * entry into the failed set as if it were the job. A later run is there because somebody retried it, and is the
 * replay; then the entry is done, and goes.
 */
export function consumeRetries(options: {
  db: Database;
  engine: Engine;
  queues: string[];
  onReplayed: (queue: string) => void;
  logger: Logger;
}): { close(): Promise<void> } {
  const { db, engine, queues, onReplayed, logger } = options;

  async function run(entry: Pick<Job, 'id' | 'data' | 'attemptsMade' | 'log'>): Promise<void> {
    // Only the end of a run counts in `attemptsMade`. A first run that was lost with its worker is delivered again
    // with 0, so it can never pass for a retry.
    if (entry.attemptsMade === 0) throw originalError(entry.data);
    const deadLetterId = parsePublicId('deadLetter', entry.id ?? '');
    if (deadLetterId === undefined) return;
    try {
      const queue = await replayDeadLetter(db, deadLetterId, RETRY_IN_BULL_BOARD);
      if (queue !== undefined) onReplayed(queue);
    } catch (error) {
      logger.warn({ err: error, deadLetterId: entry.id }, 'a dead letter could not be replayed');
      await entry.log(`The replay failed and can be tried again: ${String(error)}`).catch(() => undefined);
      // The entry stands again as it did: what the operator came for is the job's error, not ours.
      throw originalError(entry.data);
    }
  }

  const workers = queues.map((queue) =>
    engine.openWorker(deadLetterQueueName(queue), run, { concurrency: CONCURRENCY }),
  );
  return {
    async close() {
      await Promise.all(workers.map((worker) => worker.close(true)));
    },
  };
}

const RETRY_IN_BULL_BOARD = { actor: 'bull-board', reason: 'retried in Bull Board' };
