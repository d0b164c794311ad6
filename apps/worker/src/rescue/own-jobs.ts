import type { Database } from '@accepted/shared/database/connect';
import type { EndedAttempt } from '@accepted/shared/database/record-outcomes';
import { listOwnJobs, type OwnJob } from '@accepted/shared/database/rescue-jobs';
import type { Logger } from 'pino';
import type { RunningAttempts } from '../attempt/running-attempts.ts';

/**
 * Makes the check that follows each heartbeat: it compares what the ledger says runs here with what does.
 *
 * A cancel whose notification was missed is found. So is a job whose claim was committed while the answer got lost,
 * as when Postgres dies at that moment: nobody would ever run it, for its worker is alive. Such a job is released,
 * once two checks in a row find it, as a claim may be just on its way from the ledger to here.
 */
export function createOwnJobsCheck(options: {
  db: Database;
  running: RunningAttempts;
  record: (ended: EndedAttempt) => Promise<unknown>;
  logger: Logger;
}): (workerId: string) => Promise<void> {
  const { db, running, record, logger } = options;
  let unknownBefore = new Set<string>();

  return async (workerId) => {
    const own = await listOwnJobs(db, workerId);
    for (const job of own) if (job.cancelRequestedAt) running.stop(job.id, 'canceled');
    const unknown = own.filter((job) => !running.has(job.id));
    const abandoned = unknown.filter((job) => unknownBefore.has(identity(job)));
    unknownBefore = new Set(unknown.map(identity));
    if (abandoned.length === 0) return;
    logger.warn(
      { jobIds: abandoned.map((job) => job.id) },
      'released jobs that were claimed but never arrived',
    );
    await Promise.all(abandoned.map((job) => record({ job, outcome: { kind: 'release' } })));
  };
}

function identity(job: OwnJob): string {
  return `${job.id} ${job.attempt}`;
}
