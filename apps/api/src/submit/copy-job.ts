import type { CatalogType } from '@accepted/shared/database/catalog';
import type { JobRow } from '@accepted/shared/database/tables';
import type { NewJob } from '@accepted/shared/job/new-job';
import { priorityOfRank } from '@accepted/shared/job/priority';
import type { CopyRequest } from './change-requests.ts';
import type { JobRequest } from './job-request.ts';
import { resolveConcurrency, resolveJob, type Submission } from './resolve-job.ts';

/** A job as it is to be copied: with its payload as the text that it was accepted as, so that no digit is lost. */
export interface CopiedJob {
  row: JobRow;
  payloadJson: string;
}

/**
 * Makes the request that would have made the job, with what `changes` say otherwise. Its times are not taken over: a copy
 * starts at once and does not expire unless it is asked to. A field is replaced as a whole, but for those of `retry`. Pure.
 */
export function requestOfCopy(
  { row }: CopiedJob,
  changes: CopyRequest,
  jobType: CatalogType | undefined,
): JobRequest {
  const retry = { maxAttempts: row.max_attempts, backoff: row.backoff, ...changes.retry };
  return {
    type: row.type,
    payload: row.payload,
    queue: row.queue,
    priority: priorityOfRank(row.priority),
    timeoutMs: row.timeout_ms,
    ...ownConcurrencyKey(row, jobType),
    tags: row.tags,
    metadata: row.metadata,
    ...(row.webhook && { webhook: row.webhook as NonNullable<JobRequest['webhook']> }),
    ...changes,
    retry,
  };
}

/** A key that the type made from the payload is made anew, from the payload of the copy. */
function ownConcurrencyKey(
  row: JobRow,
  jobType: CatalogType | undefined,
): Pick<JobRequest, 'concurrencyKey'> {
  const key = row.concurrency_key;
  if (key === null) return {};
  const made =
    jobType && resolveConcurrency({ payload: row.payload }, row.type, jobType.defaults).concurrencyKey;
  return key === made ? {} : { concurrencyKey: key };
}

/** Makes the copy that a valid request asks for. Pure. */
export function resolveCopy(
  source: CopiedJob,
  changes: CopyRequest,
  { request, jobType, submission }: { request: JobRequest; jobType: CatalogType; submission: Submission },
): NewJob {
  const job = resolveJob(request, jobType, submission);
  const payloadJson = 'payload' in changes ? job.payloadJson : source.payloadJson;
  return { ...job, payloadJson, copyOf: source.row.id };
}
