import { CHANNELS, listen } from '@accepted/shared/database/notifications';
import { findJob, finishedAmong } from '@accepted/shared/database/read-jobs';
import type { JobRow } from '@accepted/shared/database/tables';
import { isTerminal } from '@accepted/shared/job/status';
import type { FastifyInstance } from 'fastify';
import fp from 'fastify-plugin';
import { createJobWaiter, type JobWaiter } from '../waiting/job-waiter.ts';

declare module 'fastify' {
  interface FastifyInstance {
    jobWaiter: JobWaiter;
  }
}

export interface WaitingOptions {
  databaseUrl: string;
}

const POLL_EVERY_MS = 1_000;

/** Wakes the requests that wait for jobs, by notification from Postgres and, as the fallback, by polling. */
export const waiting = fp<WaitingOptions>(async (app, { databaseUrl }) => {
  const waiter = createJobWaiter({
    findFinished: (ids) => finishedAmong(app.db, ids),
    pollEveryMs: POLL_EVERY_MS,
    onError: (error) => app.log.warn({ err: error }, 'cannot look for finished jobs'),
  });
  const listener = listen(
    databaseUrl,
    { [CHANNELS.jobFinished]: (payload) => waiter.wake(payload.split(',')) },
    {
      applicationName: 'accepted-api-listener',
      onError: (error) => app.log.warn({ err: error }, 'the listener for finished jobs lost its connection'),
    },
  );
  app.decorate('jobWaiter', waiter);
  app.addHook('preClose', async () => waiter.wakeAll());
  app.addHook('onClose', async () => await listener.close());
});

/**
 * Waits until a job is finished, `waitMs` has passed or `signal` aborts; answers the job as it is then. `undefined` when
 * the tenant has no such job.
 */
export async function waitForJob(
  app: FastifyInstance,
  job: { tenantId: string; id: string },
  waitMs: number,
  signal: AbortSignal,
): Promise<JobRow | undefined> {
  const watch = app.jobWaiter.watch(job.id);
  const timer = setTimeout(watch.stop, waitMs);
  signal.addEventListener('abort', watch.stop);
  try {
    const row = await findJob(app.db, job.tenantId, job.id);
    if (!row || isTerminal(row.status)) return row;
    await watch.finished;
    return await findJob(app.db, job.tenantId, job.id);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', watch.stop);
    watch.stop();
  }
}
