import type { Writing } from '../admission/writing.ts';
import { Problem } from '../http/problem.ts';
import { type AcceptedJob, createAcceptBatcher, type JobToAccept, sizeOf } from './accept-jobs.ts';
import { createWritingPace } from './writing-pace.ts';

/** Enough batches for a group commit of Postgres to be under way while the next one forms. */
const CONCURRENT_BATCHES = 3;
/** What is as large is written on a way of its own, so that nothing small waits behind it. */
const LARGE_BYTES = 64 * 1024;
const CONCURRENT_LARGE_BATCHES = 2;
/** What may not fit is counted under locks, one batch after the other. */
const CONCURRENT_NEAR_BATCHES = 1;
const ONE_BY_ONE = 1;
const MIB = 2 ** 20;
/** Of what is large, so much may wait to be written: as much as is written within a moment. */
const LARGE_UNDER_WAY = { least: MIB, most: 16 * MIB };
const WRITTEN_WITHIN_MS = 300;

/** Writes jobs durably, many at a time. */
export interface Acceptor {
  /** As `Batcher.add`; throws the problem `overloaded` when more bytes wait to be written than can be in time. */
  accept(job: JobToAccept, isWanted: () => boolean): Promise<AcceptedJob>;
  /** Whether Postgres has written jobs a moment ago: whoever waits then waits for others. */
  isWriting(): boolean;
  drain(): Promise<void>;
}

/** How long ago the last job was written, at most, for Postgres to count as there. */
const MOMENT_MS = 1_000;

export function createAcceptor(
  to: Parameters<typeof createAcceptBatcher>[0],
  writing: Pick<Writing, 'ask'>,
): Acceptor {
  const pace = createWritingPace(LARGE_UNDER_WAY, CONCURRENT_LARGE_BATCHES);
  const small = createAcceptBatcher(to, { maxConcurrentBatches: CONCURRENT_BATCHES, writing });
  // Whoever waits for locks says nothing of how Postgres does.
  const smallNear = createAcceptBatcher(to, { maxConcurrentBatches: CONCURRENT_NEAR_BATCHES });
  const large = createAcceptBatcher(to, {
    maxConcurrentBatches: CONCURRENT_LARGE_BATCHES,
    maxBatchSize: ONE_BY_ONE,
    onWritten: pace.written,
  });
  let underWay = 0;
  let writtenAt = Number.NEGATIVE_INFINITY;

  async function acceptLarge(job: JobToAccept, bytes: number, isWanted: () => boolean): Promise<AcceptedJob> {
    if (underWay > 0 && underWay + bytes > pace.bytesWithin(WRITTEN_WITHIN_MS)) throw tooManyBytes();
    underWay += bytes;
    try {
      return await large.add(job, isWanted);
    } finally {
      underWay -= bytes;
    }
  }

  return {
    async accept(job, isWanted) {
      const bytes = sizeOf(job.job);
      const ofItsSize = job.near.length > 0 ? smallNear : small;
      const accepted = await (bytes < LARGE_BYTES
        ? ofItsSize.add(job, isWanted)
        : acceptLarge(job, bytes, isWanted));
      writtenAt = performance.now();
      return accepted;
    },
    isWriting: () => performance.now() - writtenAt < MOMENT_MS,
    async drain() {
      await Promise.all([small.drain(), smallNear.drain(), large.drain()]);
    },
  };
}

/** Makes the problem of a job that was not written because others were before it. */
export function tooManyBytes(): Problem {
  const detail = 'More bytes of jobs wait to be written than can be in time. Nothing was written.';
  return new Problem('overloaded', { detail, headers: { 'retry-after': '1' } });
}
