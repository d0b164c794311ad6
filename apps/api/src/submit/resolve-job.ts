import { completeBackoff } from '@accepted/shared/core/job/backoff';
import type { NewJob } from '@accepted/shared/core/job/new-job';
import { priorityRank } from '@accepted/shared/core/job/priority';
import { urlFault } from '@accepted/shared/core/outbound/url-fault';
import { JOB_EVENT_TYPES } from '@accepted/shared/core/webhook/event';
import type { CatalogType } from '@accepted/shared/ledger/workers/catalog';
import { parseTime } from '../http/parse-time.ts';
import type { Fault } from '../http/problem.ts';
import type { InspectedPayload } from './inspect-payload.ts';
import { type JobRequest, MAX_DELAY_DAYS, MAX_DELAY_MS } from './job-request.ts';

/** What of a job does not come from its body. */
export type Submission = Pick<
  NewJob,
  | 'id'
  | 'tenantId'
  | 'copyOf'
  | 'requestId'
  | 'isRequestIdGiven'
  | 'traceparent'
  | 'tracestate'
  | 'idempotency'
>;

/** What of a payload goes into the job. */
export type ResolvedPayload = Pick<InspectedPayload, 'json' | 'refusedBy' | 'concurrencyKey'>;

/** Clocks of clients differ, and a request takes its time: a `runAt` this long ago still means "now". */
const PAST_TOLERANCE_MS = 60_000;

/**
 * Lists what is wrong with a request beyond its schema and its payload. Pure: `now` comes from the caller. The request
 * may have any shape: a field that is not of its type is for the schema to report.
 */
export function findRequestFaults(request: JobRequest | null | undefined, now: Date): Fault[] {
  if (typeof request !== 'object' || request === null) return [];
  return [
    ...faultsOfStart(request, now),
    ...faultsOfExpiry(request, now),
    ...faultsOfWebhook(request.webhook?.url),
  ];
}

/** Lists what is wrong with the time that a job is to start at. `runAt` may be as far away as `delayMs`, and no farther. */
export function faultsOfStart({ runAt, delayMs }: Pick<JobRequest, 'runAt' | 'delayMs'>, now: Date): Fault[] {
  if (typeof runAt !== 'string') return [];
  if (delayMs !== undefined) return [{ pointer: '/delayMs', detail: 'Give `runAt` or `delayMs`, not both.' }];
  const time = parseTime(runAt);
  if (!time) return [{ pointer: '/runAt', detail: 'There is no such time.' }];
  const aheadMs = time.getTime() - now.getTime();
  if (aheadMs < -PAST_TOLERANCE_MS) return [{ pointer: '/runAt', detail: 'The time is in the past.' }];
  if (aheadMs > MAX_DELAY_MS)
    return [{ pointer: '/runAt', detail: `The time is more than ${MAX_DELAY_DAYS} days ahead.` }];
  return [];
}

function faultsOfExpiry({ runAt, delayMs, ttlMs }: JobRequest, now: Date): Fault[] {
  const time = typeof runAt === 'string' ? parseTime(runAt) : undefined;
  const startsInMs = time ? time.getTime() - now.getTime() : delayMs;
  if (typeof ttlMs !== 'number' || typeof startsInMs !== 'number') return [];
  if (startsInMs <= 0 || startsInMs < ttlMs) return [];
  return [{ pointer: '/ttlMs', detail: 'The job would expire before the time that it is to start at.' }];
}

/** Reads when a valid request wants its job to start; neither is there when that is at once. */
export function resolveStart({ runAt, delayMs }: Pick<JobRequest, 'runAt' | 'delayMs'>) {
  const time = runAt === undefined ? undefined : parseTime(runAt);
  return { ...(time && { runAt: time }), ...(delayMs && { delayMs }) };
}

function faultsOfWebhook(url: unknown): Fault[] {
  if (typeof url !== 'string') return [];
  const detail = urlFault(url);
  return detail === undefined ? [] : [{ pointer: '/webhook/url', detail }];
}

/** Tells where the job goes that a valid request asks for. */
export function queueOf(request: Pick<JobRequest, 'queue'>, jobType: Pick<CatalogType, 'queue'>): string {
  return request.queue ?? jobType.queue;
}

/** The more urgent the less. */
export function priorityOf({ priority = 'normal' }: Pick<JobRequest, 'priority'>): number {
  return priorityRank(priority);
}

/** Makes the job that a valid request asks for, with every default of its type filled in. Pure. */
export function resolveJob(
  request: JobRequest,
  jobType: Pick<CatalogType, 'type' | 'queue' | 'defaults'>,
  submission: Submission & { payload: ResolvedPayload },
): NewJob {
  const { defaults } = jobType;
  const { payload } = submission;
  const { runAt, delayMs } = resolveStart(request);
  // A limit of the type holds whatever a client asks for. A key of the request is the tenant's own, across types, for jobs
  // that their type does not limit.
  const concurrencyKey = payload.concurrencyKey ?? request.concurrencyKey;
  return {
    id: submission.id,
    tenantId: submission.tenantId,
    refusedBy: payload.refusedBy,
    type: jobType.type,
    queue: queueOf(request, jobType),
    priority: priorityOf(request),
    payloadJson: payload.json,
    maxAttempts: request.retry?.maxAttempts ?? defaults.maxAttempts,
    backoff: request.retry?.backoff ? completeBackoff(request.retry.backoff) : defaults.backoff,
    timeoutMs: request.timeoutMs ?? defaults.timeoutMs,
    runAt,
    delayMs,
    ttlMs: request.ttlMs,
    concurrencyKey,
    concurrencyLimit: concurrencyKey === undefined ? undefined : (defaults.concurrency?.limit ?? 1),
    tags: request.tags ?? [],
    metadata: request.metadata ?? {},
    webhook: request.webhook && { events: [...JOB_EVENT_TYPES], ...request.webhook },
    copyOf: submission.copyOf,
    requestId: submission.requestId,
    isRequestIdGiven: submission.isRequestIdGiven,
    traceparent: submission.traceparent,
    tracestate: submission.tracestate,
    idempotency: submission.idempotency,
  };
}
