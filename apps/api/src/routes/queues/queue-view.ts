import type { QueueStatistics } from '@accepted/shared/database/queue-estimates';
import { Type } from 'typebox';
import { orNull } from '../../schemas/shared-schemas.ts';

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
      { description: 'How many jobs are in it.' },
    ),
    oldestWaitMs: orNull(
      Type.Number({ description: 'How long the job that has been due the longest has waited.' }),
    ),
    finishedPerSecond: Type.Number({ description: 'As the live workers measured it last.' }),
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

/** Shows a queue to clients. */
export function queueView(statistics: QueueStatistics) {
  const { name, queued, scheduled, retrying, running, oldestWaitMs, finishedPerSecond } = statistics;
  return {
    name,
    depth: { queued, scheduled, retrying, running },
    oldestWaitMs,
    finishedPerSecond,
    workers: { count: statistics.workers, concurrency: statistics.concurrency },
  };
}
