import type { FastifyInstance } from 'fastify';
import { Type } from 'typebox';
import type { Caller } from '../../admission/authentication.ts';
import { orNull } from '../../schemas/shared-schemas.ts';
import type { QueueStatistics } from './queue-statistics.ts';

const count = (what: string) => Type.Integer({ description: `Jobs that are ${what}, counted up to 50,000.` });

export const Queue = Type.Object(
  {
    name: Type.String({ description: 'The name of the queue.' }),
    depth: Type.Object(
      {
        queued: count('due'),
        scheduled: count('not due yet'),
        retrying: count('waiting for another attempt'),
        running: count('running'),
      },
      {
        description:
          "How many jobs are in it: your tenant's, or with the scope `operator` those of all tenants.",
      },
    ),
    oldestWaitMs: orNull(
      Type.Number({ description: 'How long the one of them that has been due the longest has waited.' }),
    ),
    finishedPerSecond: orNull(
      Type.Number({
        description:
          'Jobs of all tenants, as the live workers measured it last; `null` without the scope `operator`.',
      }),
    ),
    workers: Type.Object(
      {
        count: Type.Integer({ description: 'Live workers.' }),
        concurrency: Type.Integer({ description: 'Jobs that they can run at once, all together.' }),
      },
      { description: 'Who works on it.' },
    ),
  },
  { title: 'Queue', additionalProperties: false, description: 'How busy a queue is.' },
);

/** Reads the queues as a caller may see them: with its own tenant's jobs, or over all with the scope `operator`. */
export async function readQueues(app: FastifyInstance, { tenantId, scopes }: Caller) {
  const seesAll = scopes.includes('operator');
  const queues = await (seesAll ? app.readQueueStatistics() : app.readTenantShare(tenantId));
  return queues.map(queueView);
}

function queueView(statistics: QueueStatistics) {
  const { name, queued, scheduled, retrying, running, oldestWaitMs, finishedPerSecond } = statistics;
  return {
    name,
    depth: { queued, scheduled, retrying, running },
    oldestWaitMs,
    finishedPerSecond,
    workers: { count: statistics.workers, concurrency: statistics.concurrency },
  };
}
