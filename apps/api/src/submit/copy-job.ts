import { DEFAULT_BACKOFF } from '@accepted/shared/core/job/backoff';
import { priorityOfRank } from '@accepted/shared/core/job/priority';
import { JsonText } from '@accepted/shared/core/json/json-text';
import type { ShownJob } from '@accepted/shared/ledger/jobs/shown-job';
import type { CopyRequest } from './change-requests.ts';
import type { JobRequest } from './job-request.ts';

/**
 * Makes the request that would have made the job, with what `changes` say otherwise. Its times are not taken over: a copy
 * starts at once and does not expire unless it is asked to. A field is replaced as a whole, but for those of `retry`. A
 * concurrency key that the type makes of the job's payload, `keyOfType`, is made anew from the payload of the copy. Pure.
 */
export function requestOfCopy(row: ShownJob, changes: CopyRequest, keyOfType?: string): JobRequest {
  const retry = { maxAttempts: row.max_attempts, backoff: row.backoff ?? DEFAULT_BACKOFF, ...changes.retry };
  const key = row.concurrency_key;
  return {
    type: row.type,
    payload: new JsonText(row.payloadJson),
    queue: row.queue,
    priority: priorityOfRank(row.priority),
    timeoutMs: row.timeout_ms,
    ...(key !== null && key !== keyOfType && { concurrencyKey: key }),
    tags: row.tags,
    metadata: row.metadata,
    ...(row.webhook && { webhook: row.webhook as NonNullable<JobRequest['webhook']> }),
    ...changes,
    retry,
  };
}
