import type { ClaimedJob } from '@accepted/shared/core/job/claimed-job';
import { isTerminal, type JobStatus } from '@accepted/shared/core/job/status';
import { DELIVERY_QUEUE } from '@accepted/shared/core/webhook/event';
import type { Database } from '@accepted/shared/ledger/connection/connect';
import { CHANNELS, notifyIds } from '@accepted/shared/ledger/connection/notifications';
import { createBatcher } from '@accepted/shared/runtime/batching/batcher';

/** Tells of what became of jobs. Only hints, sent after the commit and never waited for: whoever misses one polls. */
export interface Announcer {
  /** Tells those who wait for the job that it is finished, or the dispatcher that there is work. */
  attemptEnded(job: ClaimedJob, status: JobStatus): void;
  /** Tells waiting clients that a job is finished. */
  jobFinished(jobId: string): void;
}

export function createAnnouncer(options: {
  db: Database;
  dispatch: { queueHasWork(queue: string): void; timesHaveChanged(): void };
  onError: (error: unknown) => void;
}): Announcer {
  const { db, dispatch, onError } = options;
  const batcher = createBatcher<string, void>({
    maxBatchSize: 1_000,
    maxConcurrentBatches: 1,
    async flush(ids) {
      await notifyIds(db, CHANNELS.jobFinished, ids);
      return ids.map(() => undefined);
    },
  });
  const jobFinished = (jobId: string) => void batcher.add(jobId).catch(onError);

  return {
    jobFinished,
    attemptEnded(job, status) {
      if (status === 'retrying') dispatch.timesHaveChanged();
      if (job.isLimited || status === 'queued') dispatch.queueHasWork(job.queue);
      if (!isTerminal(status)) return;
      jobFinished(job.id);
      if (job.hasFollowers) dispatch.queueHasWork(DELIVERY_QUEUE);
    },
  };
}
