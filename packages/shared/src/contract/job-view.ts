import { publicId } from '../core/job/id.ts';
import { type Priority, priorityOfRank } from '../core/job/priority.ts';
import type { JobStatus } from '../core/job/status.ts';
import { traceIdOf } from '../core/job/trace-context.ts';
import { JsonText } from '../core/json/json-text.ts';
import type { JobRow, RecordedError } from '../ledger/jobs/jobs-tables.ts';
import type { ShownJob } from '../ledger/jobs/shown-job.ts';
import type { DeliveryRow } from '../ledger/webhooks/webhook-deliveries.ts';

/** What clients and receivers of webhooks see of a job, without what can be large. Times are RFC 3339. */
interface JobFacts {
  id: string;
  type: string;
  queue: string;
  status: JobStatus;
  error: RecordedError | null;
  progress: unknown;
  priority: Priority;
  attemptsMade: number;
  maxAttempts: number;
  attempt: number;
  timeoutMs: number;
  runAt: string;
  expiresAt: string | null;
  concurrencyKey: string | null;
  tags: string[];
  metadata: Record<string, unknown>;
  batchId: null;
  scheduleId: null;
  copyOf: string | null;
  deadLetterId: string | null;
  requestId: string | null;
  traceId: string | null;
  version: number;
  createdAt: string;
  dispatchedAt: string | null;
  startedAt: string | null;
  finishedAt: string | null;
  nextAttemptAt: string | null;
  cancelRequestedAt: string | null;
  links: { self: string; result: string; attempts: string; cancel: string };
}

/** Whom to tell how the job ends, and how far that is; `id` is that of the delivery's own job. */
export interface WebhookView {
  url: string;
  events: string[];
  deliveries: DeliveryRow[];
}

/** The job as lists show it: without payload and result. */
export type JobSummary = JobFacts & { webhook: WebhookView | null };
export type JobView = JobSummary & { result: JsonText | null; payload: JsonText };
export type JobViewWithoutPayload = JobFacts & { result: unknown };

/** Shows the whole job. */
export function jobView(row: ShownJob, deliveries: DeliveryRow[]): JobView {
  const { payloadJson, resultJson } = row;
  return {
    ...jobSummary(row, deliveries),
    result: resultJson === null ? null : new JsonText(resultJson),
    payload: new JsonText(payloadJson),
  };
}

/** Tells whether nothing has happened to a job since it was accepted: its version grows with all but its dispatch. */
export function isNewJob({ version, dispatched_at }: ShownJob): boolean {
  return version === 1 && dispatched_at === null;
}

/**
 * Writes a job that `isNewJob` as JSON, the same as its view to the letter: it goes out with each 202, and most of
 * what there is to tell of a job is not there yet. `id` is its public one.
 */
export function newJobText(row: ShownJob, id: string): string {
  const { self, result, attempts, cancel } = jobLinks(id);
  return (
    `{"id":"${id}","type":${json(row.type)},"queue":${json(row.queue)},"status":"${row.status}","error":null,"progress":null,` +
    `"priority":"${priorityOfRank(row.priority)}","attemptsMade":0,"maxAttempts":${row.max_attempts},"attempt":0,` +
    `"timeoutMs":${row.timeout_ms},"runAt":"${timeText(row.run_at)}","expiresAt":${json(row.expires_at)},` +
    `"concurrencyKey":${json(row.concurrency_key)},"tags":${row.tags.length > 0 ? json(row.tags) : '[]'},` +
    `"metadata":${json(row.metadata)},"batchId":null,"scheduleId":null,` +
    `"copyOf":${json(row.copy_of && publicId('job', row.copy_of))},"deadLetterId":null,` +
    `"requestId":${json(row.request_id)},"traceId":${json(row.traceparent && traceIdOf(row.traceparent))},"version":1,` +
    `"createdAt":"${timeText(row.created_at)}","dispatchedAt":null,"startedAt":null,"finishedAt":null,` +
    `"nextAttemptAt":null,"cancelRequestedAt":null,` +
    `"links":{"self":"${self}","result":"${result}","attempts":"${attempts}","cancel":"${cancel}"},` +
    `"webhook":${json(webhookView(row, []))},"result":null,"payload":${row.payloadJson}}`
  );
}

/** Most of what may be `null` is. */
function json(value: unknown): string {
  return value === null ? 'null' : JSON.stringify(value);
}

let lastTime: Date | undefined;
let lastText = '';

/** The jobs of a batch share the moment of their creation, and to write it takes as long as all else of a job. */
function timeText(time: Date): string {
  if (time !== lastTime) {
    lastTime = time;
    lastText = time.toISOString();
  }
  return lastText;
}

/** Shows the job as the body of a webhook carries it: without its payload, and without the webhook itself. */
export function jobViewWithoutPayload(row: ShownRow & { result: unknown }): JobViewWithoutPayload {
  return { ...jobFacts(row), result: row.result ?? null };
}

/** Shows the job without payload and result. */
export function jobSummary(row: ShownRow, deliveries: DeliveryRow[]): JobSummary {
  return { ...jobFacts(row), webhook: webhookView(row, deliveries) };
}

function webhookView({ webhook }: Pick<JobRow, 'webhook'>, deliveries: DeliveryRow[]): WebhookView | null {
  if (!webhook) return null;
  return {
    url: webhook.url,
    events: webhook.events,
    deliveries: deliveries.map(({ id, event, status, tries, lastError }) => ({
      id: publicId('job', id),
      event,
      status,
      tries,
      lastError: lastError && recordedError(lastError),
    })),
  };
}

/** What of a job is shown is made of these columns. */
type ShownRow = Omit<JobRow, 'payload' | 'result' | 'build_id' | 'refused_by' | 'suspect' | 'losses'>;

function jobFacts(row: ShownRow): JobFacts {
  const id = publicId('job', row.id);
  return {
    id,
    type: row.type,
    queue: row.queue,
    status: row.status,
    error: row.error && recordedError(row.error),
    progress: row.progress ?? null,
    priority: priorityOfRank(row.priority),
    attemptsMade: row.attempts_made,
    maxAttempts: row.max_attempts,
    attempt: row.attempt,
    timeoutMs: row.timeout_ms,
    runAt: row.run_at.toISOString(),
    expiresAt: timeOrNull(row.expires_at),
    concurrencyKey: row.concurrency_key,
    tags: row.tags,
    metadata: row.metadata,
    batchId: null,
    scheduleId: null,
    copyOf: row.copy_of && publicId('job', row.copy_of),
    deadLetterId: row.dead_letter_id && publicId('deadLetter', row.dead_letter_id),
    requestId: row.request_id,
    traceId: row.traceparent && traceIdOf(row.traceparent),
    version: row.version,
    createdAt: row.created_at.toISOString(),
    dispatchedAt: timeOrNull(row.dispatched_at),
    startedAt: timeOrNull(row.started_at),
    finishedAt: timeOrNull(row.finished_at),
    nextAttemptAt: row.status === 'retrying' ? row.run_at.toISOString() : null,
    cancelRequestedAt: timeOrNull(row.cancel_requested_at),
    links: jobLinks(id),
  };
}

/** Makes the paths of a job, from the public id. */
export function jobLinks(id: string): JobFacts['links'] {
  const self = `/v1/jobs/${id}`;
  return { self, result: `${self}/result`, attempts: `${self}/attempts`, cancel: `${self}/cancel` };
}

/** Names the four fields that clients may see: whatever else is recorded, such as a stack, stays inside. */
function recordedError({ code, message, retryable, attempt }: RecordedError): RecordedError {
  return { code, message, retryable, attempt };
}

function timeOrNull(time: Date | null): string | null {
  return time?.toISOString() ?? null;
}
