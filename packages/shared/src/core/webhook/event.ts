import type { Backoff } from '../job/backoff.ts';
import { newUuid, publicId } from '../job/id.ts';
import type { NewJob } from '../job/new-job.ts';
import { priorityRank } from '../job/priority.ts';
import type { JobStatus } from '../job/status.ts';

/** Names the events that a job's `webhook.events` may ask for. */
export const JOB_EVENT_TYPES = ['job.succeeded', 'job.failed', 'job.canceled', 'job.expired'] as const;

export const DELIVERY_TYPE = 'webhook.deliver';
export const DELIVERY_QUEUE = 'webhooks';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** The first try is at once; these are the waits before each of the others. */
export const DELIVERY_BACKOFF: Backoff = {
  type: 'schedule',
  delaysMs: [5 * SECOND, 5 * MINUTE, 30 * MINUTE, ...[2, 5, 10, 14, 20, 24].map((hours) => hours * HOUR)],
  jitter: 'equal',
};
export const DELIVERY_ATTEMPTS = 10;

/** A try is cut off after 15 s by the client that makes it; this is the bound behind that bound. */
export const DELIVERY_TIMEOUT_MS = 20_000;

/** So many deliveries to one server at once: one that hangs holds no more of the slots (`WEBHOOK_CONCURRENCY`). */
const ENDPOINT_CONCURRENCY = 5;

/** Standard Webhooks asks for bodies of at most 20 kB. */
const MAX_BODY_BYTES = 20_000;

/** What a delivery job carries: `body` is the very text to send, so that every try sends the same bytes. */
export interface DeliveryPayload {
  eventId: string;
  url: string;
  body: string;
}

/** The columns of a job's row that its deliveries are made of. */
export interface NotifiedJob {
  id: string;
  tenant_id: string;
  type: string;
  status: JobStatus;
  webhook: { url: string; events: string[] } | null;
  finished_at: Date | null;
  request_id: string | null;
  traceparent: string | null;
  tracestate: string | null;
}

/**
 * Makes the delivery jobs that a finished job asks for; none when it is not finished or did not ask for this event.
 * `view` is the job as `GET` answers it. A delivery never asks for deliveries itself.
 */
export function deliveryJobs(job: NotifiedJob, view: object): NewJob[] {
  const event = JOB_EVENT_TYPES.find((type) => type === `job.${job.status}`);
  if (!event || !job.webhook?.events.includes(event) || !job.finished_at) return [];
  if (job.type === DELIVERY_TYPE) return [];
  const payload: DeliveryPayload = {
    eventId: publicId('event', newUuid()),
    url: job.webhook.url,
    body: eventBody(event, job.finished_at, view),
  };
  return [
    {
      id: newUuid(),
      tenantId: job.tenant_id,
      type: DELIVERY_TYPE,
      queue: DELIVERY_QUEUE,
      priority: priorityRank('normal'),
      payloadJson: JSON.stringify(payload),
      maxAttempts: DELIVERY_ATTEMPTS,
      backoff: DELIVERY_BACKOFF,
      timeoutMs: DELIVERY_TIMEOUT_MS,
      concurrencyKey: serverKey(job.webhook.url),
      concurrencyLimit: ENDPOINT_CONCURRENCY,
      tags: [],
      metadata: { event, jobId: publicId('job', job.id) },
      ...(job.request_id !== null && { requestId: job.request_id }),
      ...(job.traceparent !== null && { traceparent: job.traceparent }),
      ...(job.tracestate !== null && { tracestate: job.tracestate }),
    },
  ];
}

/**
 * Writes the body of an event: the job without its payload. A job too large for it loses its result, then whatever
 * else clients chose the size of; `links` says where all of it is.
 */
function eventBody(type: string, at: Date, view: object): string {
  const timestamp = at.toISOString();
  const write = (leftOut: string[]) => JSON.stringify({ type, timestamp, data: without(view, leftOut) });
  const withinLimit = (body: string) => Buffer.byteLength(body) <= MAX_BODY_BYTES;
  return LEFT_OUT.map(write).find(withinLimit) ?? write(['payload', ...SIZED_BY_CLIENTS]);
}

/** What clients choose the size of: a body that would be too large goes without. */
export const SIZED_BY_CLIENTS = ['result', 'progress', 'metadata', 'tags', 'error', 'concurrencyKey'];
const LEFT_OUT = [['payload'], ['payload', 'result'], ['payload', 'result', 'progress', 'metadata']];

function without(view: object, names: string[]): object {
  return Object.fromEntries(Object.entries(view).filter(([name]) => !names.includes(name)));
}

/** An address that is no URL is for the delivery to refuse, so that a dead letter tells of it. */
/** The concurrency key of what is delivered to the server of a URL. */
export function serverKey(url: string): string {
  return `endpoint:${URL.canParse(url) ? new URL(url).origin : 'invalid'}`;
}
