import { newUuid } from '@accepted/shared/core/job/id';
import type { NewJob } from '@accepted/shared/core/job/new-job';
import { priorityRank } from '@accepted/shared/core/job/priority';

/** Makes a job ready to be written: of type `test.noop` in the queue `default`, for a tenant of its own. */
export function makeJob(overrides: Partial<NewJob> = {}): NewJob {
  return {
    id: newUuid(),
    tenantId: newUuid(),
    type: 'test.noop',
    queue: 'default',
    priority: priorityRank('normal'),
    payloadJson: '{}',
    maxAttempts: 3,
    backoff: { type: 'exponential', delayMs: 1_000, maxMs: 60_000, jitter: 'full' },
    timeoutMs: 10_000,
    tags: [],
    metadata: {},
    ...overrides,
  };
}
