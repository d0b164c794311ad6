import type { NewJob } from '../../core/job/new-job.ts';
import type { ShownJob } from './shown-job.ts';

/** Puts together the row as it was just written: all but the moment is known here, and would come over the wire in vain. */
export function newJobRow(job: NewJob, writtenAt: Date): ShownJob {
  const runAt = job.runAt ?? later(writtenAt, job.delayMs ?? 0);
  return {
    id: job.id,
    status: runAt > writtenAt ? 'scheduled' : 'queued',
    run_at: runAt,
    expires_at: job.ttlMs === undefined ? null : later(writtenAt, job.ttlMs),
    created_at: writtenAt,
    tenant_id: job.tenantId,
    type: job.type,
    queue: job.queue,
    priority: job.priority,
    payloadJson: job.payloadJson,
    resultJson: null,
    error: null,
    progress: null,
    attempt: 0,
    attempts_made: 0,
    max_attempts: job.maxAttempts,
    replay_round: 0,
    backoff: job.backoff,
    timeout_ms: job.timeoutMs,
    suspect: false,
    losses: 0,
    dispatch_no: 0,
    dispatched_at: null,
    worker_id: null,
    build_id: null,
    concurrency_key: job.concurrencyKey ?? null,
    concurrency_limit: job.concurrencyLimit ?? null,
    tags: job.tags,
    metadata: job.metadata,
    webhook: job.webhook ?? null,
    copy_of: job.copyOf ?? null,
    dead_letter_id: null,
    request_id: job.requestId ?? null,
    traceparent: job.traceparent ?? null,
    tracestate: job.tracestate ?? null,
    version: 1,
    started_at: null,
    finished_at: null,
    cancel_requested_at: null,
  };
}

function later(time: Date, ms: number): Date {
  return ms === 0 ? time : new Date(time.getTime() + ms);
}
