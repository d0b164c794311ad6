import type { QueueStatistics } from '@accepted/shared/database/queue-estimates';
import { Type } from 'typebox';
import { orNull } from '../../schemas/shared-schemas.ts';

const Count = Type.Integer({ description: 'Counted up to 50,000.' });

export const Queue = Type.Object(
  {
    name: Type.String(),
    depth: Type.Object({ queued: Count, scheduled: Count, retrying: Count, running: Count }),
    oldestWaitMs: orNull(
      Type.Number({ description: 'How long the job that has been due the longest has waited.' }),
    ),
    finishedPerSecond: Type.Number({ description: 'As the live workers measured it last.' }),
    workers: Type.Object({ count: Type.Integer(), concurrency: Type.Integer() }),
  },
  { additionalProperties: false },
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
