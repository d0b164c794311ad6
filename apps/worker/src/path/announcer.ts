import { setImmediate as endOfTurn } from 'node:timers/promises';
import type { ClaimedJob } from '@accepted/shared/core/job/claimed-job';
import { isTerminal, type JobStatus } from '@accepted/shared/core/job/status';
import { DELIVERY_QUEUE } from '@accepted/shared/core/webhook/event';
import type { Database } from '@accepted/shared/ledger/connection/connect';
import { CHANNELS, notifyIds } from '@accepted/shared/ledger/connection/notifications';

/** Tells of what became of jobs. Only hints, sent after the commit and never waited for: whoever misses one polls. */
export interface Announcer {
  /** Tells those who wait for the job that it is finished, or the dispatcher that there is work. */
  attemptEnded(job: ClaimedJob, status: JobStatus): void;
  /** Tells waiting clients that a job is finished. */
  jobFinished(jobId: string): void;
}

export function createAnnouncer(options: {
  db: Database;
  dispatch: Record<'queueHasWork' | 'slotCameFree' | 'timesHaveChanged', (queue: string) => void>;
  onError: (error: unknown) => void;
}): Announcer {
  const { db, dispatch, onError } = options;
  let finished: string[] = [];
  let isTelling = false;

  /** Tells of those that finish meanwhile together, and of the first when the outcomes of its batch are all here. */
  async function tell(): Promise<void> {
    await endOfTurn();
    while (finished.length > 0) {
      const ids = finished;
      finished = [];
      await notifyIds(db, CHANNELS.jobFinished, ids).catch(onError);
    }
    isTelling = false;
  }

  function jobFinished(jobId: string): void {
    finished.push(jobId);
    if (isTelling) return;
    isTelling = true;
    void tell();
  }

  return {
    jobFinished,
    attemptEnded(job, status) {
      if (status === 'retrying') dispatch.timesHaveChanged(job.queue);
      if (job.isKeyed || status === 'queued') dispatch.queueHasWork(job.queue);
      else dispatch.slotCameFree(job.queue);
      if (!isTerminal(status)) return;
      jobFinished(job.id);
      if (job.hasFollowers) dispatch.queueHasWork(DELIVERY_QUEUE);
    },
  };
}
