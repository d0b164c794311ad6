import type { Database } from '@accepted/shared/database/connect';
import { makeWeeks } from '@accepted/shared/database/partitions';
import {
  listOldPartitions,
  pruneDefaultPartition,
  prunePartition,
} from '@accepted/shared/database/prune-jobs';
import {
  deleteExpiredKeys,
  deleteFinishedBulkReplays,
  deleteResolvedDeadLetters,
} from '@accepted/shared/database/prune-remains';
import type { Logger } from 'pino';
import { type Loop, startLoop } from '../loop.ts';

/** Also after a failure: while a dump holds the lock that a partition needs, each try keeps everybody waiting. */
const INTERVAL_MS = 5 * 60_000;
const TELL_AGAIN_MS = 3_600_000;
/** A run deletes so many batches of each kind at most; the next one comes soon then. */
const MAX_BATCHES = 20;
const SOON_MS = 1_000;
const BATCH = 1_000;
/** One of these may have 100,000 items. */
const BULK_REPLAY_BATCH = 1;

interface PrunerOptions {
  db: Database;
  retentionDays: number;
  logger: Logger;
  onError: (error: unknown) => void;
}

/** Starts the loop that makes partitions ahead of time and lets go of what finished before the retention. */
export function startPruner(options: PrunerOptions): Loop {
  const { db, retentionDays, logger, onError } = options;
  const prune = createPartitionPruner(options);
  const deletions = [
    () => pruneDefaultPartition(db, retentionDays, BATCH).then((deleted) => deleted === BATCH),
    () => deleteExpiredKeys(db, BATCH).then((deleted) => deleted === BATCH),
    () => deleteResolvedDeadLetters(db, retentionDays, BATCH).then((deleted) => deleted === BATCH),
    () =>
      deleteFinishedBulkReplays(db, retentionDays, BULK_REPLAY_BATCH).then(
        (deleted) => deleted === BULK_REPLAY_BATCH,
      ),
  ];

  async function runOnce(): Promise<number> {
    const made = await makeWeeks(db);
    if (made.length > 0) logger.info({ partitions: made }, 'made partitions');
    let moreToDo = false;
    for (const deleteBatch of deletions) moreToDo = (await repeat(deleteBatch)) || moreToDo;
    await prune();
    return moreToDo ? SOON_MS : INTERVAL_MS;
  }
  return startLoop({ runOnce, retryAfterMs: INTERVAL_MS, onError });
}

/** Answers whether there was more to do when the batches were used up. */
async function repeat(deleteBatch: () => Promise<boolean>): Promise<boolean> {
  for (let batch = 0; batch < MAX_BATCHES; batch += 1) if (!(await deleteBatch())) return false;
  return true;
}

function createPartitionPruner({ db, retentionDays, logger }: PrunerOptions): () => Promise<void> {
  const toldAtMs = new Map<string, number>();

  return async () => {
    for (const partition of await listOldPartitions(db, retentionDays)) {
      const startedAt = performance.now();
      const pruned = await prunePartition(db, partition, retentionDays);
      if (pruned?.kind === 'dropped') {
        const { partition: name, live, bytes } = pruned;
        const tookMs = Math.round(performance.now() - startedAt);
        logger.info(
          { partition: name, liveJobs: live, bytes, tookMs },
          'dropped a partition; its live jobs stay',
        );
      } else if (pruned?.kind === 'left' && isTimeToTell(pruned.partition)) {
        const { partition: name, moreLiveThan } = pruned;
        logger.warn(
          { partition: name, moreLiveThan },
          'a partition has too many live jobs to be dropped; it stays',
        );
      }
    }
  };

  function isTimeToTell(partition: string): boolean {
    const now = performance.now();
    if (now - (toldAtMs.get(partition) ?? Number.NEGATIVE_INFINITY) < TELL_AGAIN_MS) return false;
    toldAtMs.set(partition, now);
    return true;
  }
}
