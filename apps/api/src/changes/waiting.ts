import { isTerminal } from '@accepted/shared/core/job/status';
import { CHANNELS, listen } from '@accepted/shared/ledger/connection/notifications';
import type { JobKey } from '@accepted/shared/ledger/jobs/job-key';
import { findJob, finishedAmong } from '@accepted/shared/ledger/jobs/read-jobs';
import type { ShownJob } from '@accepted/shared/ledger/jobs/shown-job';
import { type DeliveryRow, findDeliveries } from '@accepted/shared/ledger/webhooks/webhook-deliveries';
import type { FastifyInstance, FastifyReply } from 'fastify';
import fp from 'fastify-plugin';
import { clientSignal } from '../http/client-signal.ts';
import { createJobWaiter, type JobWaiter } from './job-waiter.ts';
import { createSharedReads } from './shared-reads.ts';
import { createWaitRoom, type WaitRoom } from './wait-room.ts';

declare module 'fastify' {
  interface FastifyInstance {
    jobWaiter: JobWaiter;
    waitRoom: WaitRoom;
    /** Reads a job, or the deliveries of its webhook, as they are now: once for all who ask at the same time. */
    sharedReads: { job: ReadJob<ShownJob | undefined>; deliveries: ReadJob<DeliveryRow[]> };
  }
}

type ReadJob<Value> = (job: JobKey) => Promise<Value>;

export interface WaitingOptions {
  databaseUrl: string;
}

const POLL_EVERY_MS = 1_000;
/** A wait costs some 20 kB; who finds no room is answered at once, and told so. */
const MAX_WAITS = 10_000;
const MAX_WAITS_PER_TENANT = 4_000;
/** Of the connections of this process; the others are for those who do not wait. */
const CONCURRENT_READS = 3;

/** Wakes the requests that wait for jobs, by notification from Postgres and, as the fallback, by polling. */
export const waiting = fp<WaitingOptions>(async (app, { databaseUrl }) => {
  const waiter = createJobWaiter({
    findFinished: (jobs) => finishedAmong(app.db, jobs),
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
  app.decorate('waitRoom', createWaitRoom({ max: MAX_WAITS, maxPerTenant: MAX_WAITS_PER_TENANT }));
  app.decorate('sharedReads', {
    job: shareReads(({ tenantId, id }) => findJob(app.db, tenantId, id)),
    deliveries: shareReads(async ({ tenantId, id }) => {
      return (await findDeliveries(app.db, tenantId, [id])).get(id) ?? [];
    }),
  });
  app.addHook('preClose', async () => waiter.wakeAll());
  app.addHook('onClose', async () => await listener.close());
});

function shareReads<Value>(read: ReadJob<Value>): ReadJob<Value> {
  const reads = createSharedReads((key) => {
    const [tenantId = '', id = ''] = key.split('/');
    return read({ tenantId, id });
  }, CONCURRENT_READS);
  return ({ tenantId, id }) => reads.read(`${tenantId}/${id}`);
}

/**
 * Waits for the caller of `reply` until a job is finished, `waitMs` has passed or the caller is gone; answers the job as it is then.
 * `undefined` when the tenant has no such job.
 */
export async function waitForJob(
  app: FastifyInstance,
  reply: FastifyReply,
  job: JobKey,
  waitMs: number,
): Promise<ShownJob | undefined> {
  const signal = clientSignal(reply);
  const watch = app.jobWaiter.watch(job);
  const leave = app.waitRoom.enter(job.tenantId);
  const timer = setTimeout(watch.stop, waitMs);
  signal.addEventListener('abort', watch.stop);
  try {
    const row = await app.sharedReads.job(job);
    if (!row || isTerminal(row.status)) return row;
    app.doors.leave(reply.raw);
    await watch.finished;
    const ended = await app.sharedReads.job(job);
    // Those who wait for one job are woken all at once, and what they are answered takes its time.
    await new Promise<void>((begin) => app.turns.take(job.tenantId, begin));
    return ended;
  } finally {
    leave();
    clearTimeout(timer);
    signal.removeEventListener('abort', watch.stop);
    watch.stop();
  }
}
