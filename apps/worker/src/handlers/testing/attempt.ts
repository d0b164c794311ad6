import type { JobDefinition, JobLogger } from '@accepted/job';
import { DEFAULT_BACKOFF } from '@accepted/shared/core/job/backoff';
import type { ClaimedJob } from '@accepted/shared/core/job/claimed-job';
import type { AttemptResult } from '@accepted/shared/core/job/decide-outcome';
import { newUuid } from '@accepted/shared/core/job/id';
import { type AttemptControls, executeHandler } from '../execute-handler.ts';
import type { LoadedHandler } from '../loaded-handler.ts';

/** Makes a claimed job as the ledger would hand it over. */
export function claimedJob(change: Partial<ClaimedJob> = {}): ClaimedJob {
  return {
    id: newUuid(),
    tenantId: newUuid(),
    type: 'test.job',
    queue: 'default',
    attempt: 1,
    attemptsMade: 1,
    maxAttempts: 5,
    backoff: DEFAULT_BACKOFF,
    timeoutMs: 30_000,
    suspect: false,
    accused: false,
    payload: {},
    tags: [],
    metadata: {},
    createdAt: new Date('2026-01-02T03:04:05.678Z'),
    hasFollowers: false,
    isKeyed: false,
    requestId: null,
    traceparent: null,
    tracestate: null,
    ...change,
  };
}

/** Keeps the lines that a handler logs. */
export function recordingLogger(lines: unknown[][] = []): JobLogger {
  const line = (...args: unknown[]) => void lines.push(args);
  return { debug: line, info: line, warn: line, error: line };
}

export function loaded(definition: JobDefinition): LoadedHandler {
  return { type: definition.type, queue: definition.queue, definition };
}

/** Runs one attempt with what the test does not care about filled in. */
export function attempt(
  handler: LoadedHandler,
  job: Partial<ClaimedJob> = {},
  controls: Partial<AttemptControls> = {},
): Promise<AttemptResult> {
  return executeHandler(handler, claimedJob({ type: handler.type, queue: handler.queue, ...job }), {
    signal: new AbortController().signal,
    onProgress: () => undefined,
    logger: recordingLogger(),
    graceMs: 20,
    ...controls,
  });
}
