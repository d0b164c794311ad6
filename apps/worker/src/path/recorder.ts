import { setTimeout as delay } from 'node:timers/promises';
import type { JobStatus } from '@accepted/shared/core/job/status';
import {
  type Database,
  isDatabaseUnavailable,
  isStatementTimeout,
} from '@accepted/shared/ledger/connection/connect';
import { type EndedAttempt, recordOutcomes } from '@accepted/shared/ledger/jobs/record-outcomes';
import { type Batcher, createBatcher } from '@accepted/shared/runtime/batching/batcher';
import type { Logger } from 'pino';

const MAX_BATCH_SIZE = 500;
/** A result may be 1 MiB: what is written in one statement must stay well below what Postgres takes in time. */
const MAX_BATCH_BYTES = 4 * 1024 * 1024;
/** One at a time: what comes meanwhile makes the next batch larger, and statements are what costs. */
const MAX_CONCURRENT_BATCHES = 1;
const RETRY_AFTER_MS = 250;

/** What an attempt made of its job; nothing, when somebody else holds that. */
export type Recorded = JobStatus | 'fenced';

/** Writes outcomes, many in one transaction. */
export interface Recorder {
  /** Writes the outcome of an attempt if that still holds the job, and answers what it made of the job. */
  record(ended: EndedAttempt): Promise<Recorded>;
}

/**
 * Makes a recorder. While Postgres is away it waits, as the work is
 * done and only has to be written; if the lease ends meanwhile the write comes back fenced. An outcome that Postgres
 * refuses for what it is must not hold up its neighbours: it is written alone, as a failure.
 */
export function createRecorder(options: {
  db: Database;
  versions: Record<string, string>;
  logger: Logger;
}): Recorder {
  const { db, versions, logger } = options;
  const batcher = createBatcher<EndedAttempt, Recorded>({
    maxBatchSize: MAX_BATCH_SIZE,
    maxConcurrentBatches: MAX_CONCURRENT_BATCHES,
    bytes: { of: sizeOf, maxPerBatch: MAX_BATCH_BYTES },
    mustSplit: isStatementTimeout,
    flush: (batch) => recordOutcomes(db, batch, versions),
  });

  /** One after the other, so that a batch that was refused does not take every connection of the process. */
  const alone = createBatcher<EndedAttempt, Recorded>({
    maxBatchSize: 1,
    maxConcurrentBatches: 1,
    flush: (one) => recordOutcomes(db, one, versions),
  });

  async function patiently({ add }: Batcher<EndedAttempt, Recorded>, ended: EndedAttempt): Promise<Recorded> {
    for (;;) {
      try {
        return await add(ended);
      } catch (error) {
        if (!isTransient(error)) throw error;
        logger.warn({ err: error }, 'recording an outcome failed; it is tried again');
        await delay(RETRY_AFTER_MS);
      }
    }
  }

  /** Something in the batch was refused; alone it shows whether it was this one. */
  const recordAlone = (ended: EndedAttempt) =>
    patiently(alone, ended).catch((error: unknown) => patiently(alone, refused(ended, error)));

  return { record: (ended) => patiently(batcher, ended).catch(() => recordAlone(ended)) };
}

function sizeOf({ outcome }: EndedAttempt): number {
  if (outcome.kind === 'succeed') return outcome.resultJson.length;
  return 'error' in outcome ? outcome.error.message.length + (outcome.error.stack?.length ?? 0) : 0;
}

/**
 * Serialization failures and deadlocks, which a second try resolves, and errors of the system below Postgres, such as
 * of its disk, which say nothing about the outcome (Appendix A of its manual).
 */
const TRANSIENT = /^(40001|40P01|58[0-9A-Z]{3})$/;

function isTransient(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return TRANSIENT.test(code) || isDatabaseUnavailable(error);
}

function refused(ended: EndedAttempt, cause: unknown): EndedAttempt {
  const message = `The outcome could not be recorded: ${cause instanceof Error ? cause.message : 'unknown error'}`;
  const error = { code: 'outcome_not_recorded', message, retryable: false };
  return { job: ended.job, outcome: { kind: 'deadLetter', reason: 'permanent_error', error } };
}
