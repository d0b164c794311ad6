import { findJob } from '@accepted/shared/ledger/jobs/read-jobs';
import type { ShownJob } from '@accepted/shared/ledger/jobs/shown-job';
import type { FastifyRequest } from 'fastify';
import type { Deed } from '../../http/act-once.ts';
import { jobNotFound } from './answer-job.ts';

/** How a job that a request acted on is kept with the key of that request: by its id. It may be gone by then. */
export function jobMemory({
  server,
  caller,
}: FastifyRequest): Pick<Deed<ShownJob, string>, 'keep' | 'recall'> {
  return {
    keep: (row) => row.id,
    async recall(id) {
      const row = await findJob(server.db, caller.tenantId, id);
      if (!row) throw jobNotFound();
      return row;
    },
  };
}
