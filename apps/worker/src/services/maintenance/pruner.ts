import type { Database } from '@accepted/shared/ledger/connection/connect';
import { dropUnusedBuckets } from '@accepted/shared/ledger/limits/token-buckets';
import { forgetBreakers } from '@accepted/shared/ledger/outbound/breakers';
import { forgetHistory } from '@accepted/shared/ledger/queues/history';
import { lacksThisWeek, makeWeeks, type Partition } from '@accepted/shared/ledger/retention/partitions';
import {
  listOldPartitions,
  pruneDefaultPartition,
  prunePartition,
} from '@accepted/shared/ledger/retention/prune-jobs';
import {
  deleteExpiredKeys,
  deleteFinishedBulkReplays,
  deleteOldDeliveryLinks,
  deleteResolvedDeadLetters,
  type KeyPosition,
} from '@accepted/shared/ledger/retention/prune-remains';
import type { Logger } from 'pino';
import { type Loop, startLoop } from '../loop.ts';
import type { OneService } from '../service-leases.ts';

/** Also after a failure: while a dump holds the lock that a partition needs, each try keeps everybody waiting. */
const INTERVAL_MS = 5 * 60_000;
const TELL_AGAIN_MS = 3_600_000;
/** A run deletes so many batches of each kind at most; the next one comes soon then. */
const MAX_BATCHES = 20;
const SOON_MS = 1_000;
const BATCH = 1_000;
/** One of these may have 100,000 items. */
const BULK_REPLAY_BATCH = 1;
/** How many jobs finished in which hour is kept for longer than the jobs. */
const HISTORY_DAYS = 90;

interface PrunerOptions {
  db: Database;
  /** One worker prunes for all of them: each try to lock the tables keeps everybody waiting. */
  service?: OneService | undefined;
  retentionDays: number;
  logger: Logger;
  onError: (error: unknown) => void;
}

/** Deletes a batch and answers whether there may be more. */
type DeleteBatch = () => Promise<boolean>;

/**
 * Starts the loop that makes partitions ahead of time and lets go of what finished before the retention. A step that
 * fails is told, and keeps none of the others from being done.
 */
export function startPruner(options: PrunerOptions): Loop {
  const { db, service, retentionDays, logger, onError } = options;
  const partitions = createPartitionKeeper(options);
  const deletions = Object.entries(createDeletions(options));
  let stopping = false;

  async function attempt<T>(step: string, act: () => Promise<T>): Promise<T | undefined> {
    if (stopping) return undefined;
    return act().catch((error: unknown) => {
      logger.warn({ step, err: error }, 'a step of the pruner failed; it is tried again');
      return undefined;
    });
  }

  /** Answers whether there was more to do when the batches were used up. */
  async function repeat(deleteBatch: DeleteBatch): Promise<boolean> {
    for (let batch = 0; batch < MAX_BATCHES && !stopping; batch += 1)
      if (!(await deleteBatch())) return false;
    return true;
  }

  async function runOnce(): Promise<number> {
    await attempt('make weeks', partitions.makeWeeks);
    await attempt('look for this week', partitions.tellOfMissingWeek);
    let moreToDo = false;
    for (const [step, deleteBatch] of deletions)
      moreToDo = ((await attempt(step, () => repeat(deleteBatch))) ?? false) || moreToDo;
    const old = await attempt('list old partitions', () => listOldPartitions(db, retentionDays));
    for (const partition of old ?? [])
      await attempt(`drop ${partition.jobs}`, () => partitions.prune(partition));
    return moreToDo ? SOON_MS : INTERVAL_MS;
  }

  const mayTakeMs = Number.POSITIVE_INFINITY;
  const loop = startLoop({ runOnce, retryAfterMs: INTERVAL_MS, onError, service, mayTakeMs });
  return {
    wake: loop.wake,
    stop() {
      stopping = true;
      return loop.stop();
    },
  };
}

function createDeletions({ db, retentionDays }: PrunerOptions): Record<string, DeleteBatch> {
  let lastKey: KeyPosition | undefined;
  return {
    'delete jobs': async () => (await pruneDefaultPartition(db, retentionDays, BATCH)) === BATCH,
    'delete keys': async () => {
      lastKey = (await deleteExpiredKeys(db, BATCH, lastKey)).next;
      return lastKey !== undefined;
    },
    'delete dead letters': async () => (await deleteResolvedDeadLetters(db, retentionDays, BATCH)) === BATCH,
    'delete delivery links': async () => (await deleteOldDeliveryLinks(db, retentionDays, BATCH)) === BATCH,
    'delete bulk replays': async () =>
      (await deleteFinishedBulkReplays(db, retentionDays, BULK_REPLAY_BATCH)) === BULK_REPLAY_BATCH,
    'drop unused buckets': async () => (await dropUnusedBuckets(db, BATCH)) === BATCH,
    'forget breakers': async () => (await forgetBreakers(db, BATCH)) === BATCH,
    'forget history': async () => (await forgetHistory(db, HISTORY_DAYS, BATCH)) === BATCH,
  };
}

function createPartitionKeeper({ db, retentionDays, logger }: PrunerOptions) {
  const toldAtMs = new Map<string, number>();

  return {
    async makeWeeks(): Promise<void> {
      const made = await makeWeeks(db);
      if (made.length > 0) logger.info({ partitions: made }, 'made partitions');
    },
    async tellOfMissingWeek(): Promise<void> {
      if ((await lacksThisWeek(db)) && isTimeToTell('this week'))
        logger.warn({}, 'this week has no partition; its jobs go to the default one');
    },
    async prune(partition: Partition): Promise<void> {
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
    },
  };

  function isTimeToTell(partition: string): boolean {
    const now = performance.now();
    if (now - (toldAtMs.get(partition) ?? Number.NEGATIVE_INFINITY) < TELL_AGAIN_MS) return false;
    toldAtMs.set(partition, now);
    return true;
  }
}
