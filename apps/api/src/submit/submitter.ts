import type { NewJob } from '@accepted/shared/core/job/new-job';
import { CHANNELS, notify } from '@accepted/shared/ledger/connection/notifications';
import { createTeller } from '@accepted/shared/ledger/connection/teller';
import type { ShownJob } from '@accepted/shared/ledger/jobs/shown-job';
import fp from 'fastify-plugin';
import type { Admission } from '../admission/admit-job.ts';
import { Problem } from '../http/problem.ts';
import { createAcceptor } from './acceptor.ts';

export interface SubmittedJob {
  row: ShownJob;
  replayed: boolean;
  /** That of the first answer, where it is known already. */
  status: number | undefined;
}

declare module 'fastify' {
  interface FastifyInstance {
    /**
     * Writes a job durably that was let in; resolves only after the commit. `replayed` says that the job of an earlier request with the
     * same idempotency key is the answer. Rejects with a problem, or when Postgres is unavailable. A job whose turn to be
     * written comes when `isWanted` answers `false` is not written.
     */
    submitJob(job: NewJob, admission: Admission, isWanted: () => boolean): Promise<SubmittedJob>;
    /** Whether jobs are being written, so that one which waits for too long waits for others and not for Postgres. */
    isWriting(): boolean;
  }
}

/** Takes jobs in, many at a time, and tells the dispatchers. */
export const submitter = fp(async (app) => {
  const teller = createTeller(
    (queue) => notify(app.pools.submit, CHANNELS.queueHasWork, queue),
    (error) => app.log.warn({ err: error }, 'the dispatchers were not told of ready jobs; they poll'),
  );
  const acceptor = createAcceptor({ db: app.pools.submit, teller }, app.writing);

  app.decorate('submitJob', async (job, { near }, isWanted) => {
    const accepted = await acceptor.accept({ job, near }, isWanted);
    if (accepted.kind === 'keyReused') throw new Problem('idempotency_key_reused');
    if (accepted.kind === 'refused') throw accepted.error;
    if (accepted.kind === 'full') throw app.backlogs.refuse(job, accepted);
    const { kind, row } = accepted;
    const status = kind === 'replayed' ? accepted.status : job.idempotency?.status;
    return { row, replayed: kind === 'replayed', status: status ?? undefined };
  });

  app.decorate('isWriting', acceptor.isWriting);

  app.addHook('onClose', async () => {
    await acceptor.drain();
    await teller.drain();
  });
});
