import type { NewJob } from '@accepted/shared/core/job/new-job';
import { type Database, isDatabaseUnavailable } from '@accepted/shared/ledger/connection/connect';
import type { Teller } from '@accepted/shared/ledger/connection/teller';
import {
  type InsertedJob,
  insertJobs,
  insertJobsWithinBounds,
  type JobBeyondBound,
} from '@accepted/shared/ledger/jobs/insert-jobs';
import { type Batcher, createBatcher } from '@accepted/shared/runtime/batching/batcher';
import type { Writing } from '../admission/writing.ts';

/** What became of one job of a batch; `refused` is a row that Postgres would not take. */
export type AcceptedJob = InsertedJob | JobBeyondBound | { kind: 'refused'; error: unknown };

export interface JobToAccept {
  job: NewJob;
  /** The names of the bounds that it may not fit in (`BacklogGauge`). */
  near: readonly string[];
}

const MAX_BATCH_SIZE = 250;
/** Making the text of a batch holds the event loop, and with it everybody: about 5 ms for so much. */
const MAX_BATCH_BYTES = 512 * 1024;

/**
 * How jobs are written: at once, in a batch; `onWritten` is told what was, and how long it took. `writing` is told of each statement,
 * where the time that it takes says how Postgres does, and not how much there was to write.
 */
export interface AcceptBatches {
  maxConcurrentBatches: number;
  maxBatchSize?: number;
  onWritten?: (bytes: number, ms: number) => void;
  writing?: Pick<Writing, 'ask'>;
}

/** Makes a batcher through which accepted jobs go: requests that arrive together share one insert. */
export function createAcceptBatcher(
  { db, teller }: { db: Database; teller: Pick<Teller, 'tell' | 'tellsInPassing'> },
  { maxConcurrentBatches, maxBatchSize = MAX_BATCH_SIZE, onWritten, writing }: AcceptBatches,
): Batcher<JobToAccept, AcceptedJob> {
  async function insert(batch: JobToAccept[], tellsOfWork: boolean): Promise<AcceptedJob[]> {
    const jobs = batch.map(({ job }) => job);
    const bounds = [...new Set(batch.flatMap(({ near }) => near))];
    const answered = writing?.ask(performance.now());
    try {
      return bounds.length > 0
        ? await insertJobsWithinBounds(db, jobs, { tellsOfWork, bounds })
        : await insertJobs(db, jobs, { tellsOfWork });
    } finally {
      answered?.(performance.now());
    }
  }

  async function flush(jobs: JobToAccept[]): Promise<AcceptedJob[]> {
    const tellsOfWork = teller.tellsInPassing();
    const beganMs = performance.now();
    const accepted = await acceptJobs((batch) => insert(batch, tellsOfWork), jobs);
    const bytes = jobs.reduce((sum, { job }) => sum + sizeOf(job), 0);
    onWritten?.(bytes, performance.now() - beganMs);
    if (!tellsOfWork) for (const job of accepted) if (isReady(job)) teller.tell(job.row.queue);
    return accepted;
  }

  const bytes = { of: ({ job }: JobToAccept) => sizeOf(job), maxPerBatch: MAX_BATCH_BYTES };
  return createBatcher({ maxBatchSize, maxConcurrentBatches, bytes, flush });
}

function isReady(job: AcceptedJob): job is Extract<InsertedJob, { kind: 'created' }> {
  return job.kind === 'created' && job.row.status === 'queued';
}

/** Measures what can be large in a job, in UTF-16 code units: near enough to bytes, and at hand. */
export function sizeOf({ payloadJson, metadata }: NewJob): number {
  const hasMetadata = Object.keys(metadata).length > 0;
  return payloadJson.length + (hasMetadata ? JSON.stringify(metadata).length : 0);
}

/**
 * Inserts a batch; when that fails although Postgres is there, tries each job alone, so that a bad row never fails its
 * neighbours. Rejects only when Postgres is unavailable: then nobody is promised anything.
 */
export async function acceptJobs<Job>(
  insert: (jobs: Job[]) => Promise<AcceptedJob[]>,
  jobs: Job[],
): Promise<AcceptedJob[]> {
  try {
    return await insert(jobs);
  } catch (error) {
    if (isDatabaseUnavailable(error)) throw error;
    if (jobs.length === 1) return [{ kind: 'refused', error }];
  }
  const results: AcceptedJob[] = [];
  for (const job of jobs) results.push(...(await acceptJobs(insert, [job])));
  return results;
}
