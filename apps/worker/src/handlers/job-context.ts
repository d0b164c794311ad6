import type { JobContext, JobFacts, JobLogger } from '@accepted/job';
import type { ClaimedJob } from '@accepted/shared/core/job/claimed-job';
import { publicId } from '@accepted/shared/core/job/id';
import { numbersAsText, parseExactly } from '@accepted/shared/core/json/exact-numbers';
import { jsonText } from './json-text.ts';

const MAX_PROGRESS_BYTES = 16 * 1024;

/** What a handler's context is connected to: the worker, or in a thread the way back to it. */
export interface ContextControls {
  signal: AbortSignal;
  logger: JobLogger;
  /** Takes a snapshot that is JSON. */
  onProgress(value: unknown): void;
}

/** Tells the facts of a claimed job under the ids that clients see. */
export function jobFacts(job: ClaimedJob): JobFacts {
  const facts: JobFacts = {
    id: publicId('job', job.id),
    type: job.type,
    queue: job.queue,
    tenantId: publicId('tenant', job.tenantId),
    attemptsMade: job.attemptsMade,
    maxAttempts: job.maxAttempts,
    timeoutMs: job.timeoutMs,
    tags: job.tags,
    metadata: numbersAsText(job.metadata) as JobFacts['metadata'],
    createdAt: job.createdAt,
  };
  if (job.requestId !== null) facts.requestId = job.requestId;
  if (job.traceparent !== null) facts.traceparent = job.traceparent;
  if (job.tracestate !== null) facts.tracestate = job.tracestate;
  return facts;
}

/** Makes the context of one attempt; `attempt` is its fencing token. */
export function createJobContext(job: JobFacts, attempt: number, controls: ContextControls): JobContext {
  const { signal, logger, onProgress } = controls;
  return {
    signal,
    logger,
    idempotencyKey: job.id,
    attempt,
    fencingToken: attempt,
    job,
    progress(value) {
      const text = progressText(value, logger);
      if (text !== undefined) onProgress(parseExactly(text));
    },
  };
}

/** Progress is news, not truth: what cannot be kept is dropped and the attempt goes on. */
function progressText(value: unknown, logger: JobLogger): string | undefined {
  try {
    return jsonText(value, MAX_PROGRESS_BYTES);
  } catch (error) {
    logger.warn({ err: error }, 'progress that cannot be kept is dropped');
    return undefined;
  }
}
