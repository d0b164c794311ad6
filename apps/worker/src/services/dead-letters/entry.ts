import { publicId } from '@accepted/shared/core/job/id';
import { traceIdOf } from '@accepted/shared/core/job/trace-context';
import type { ShelfEntry } from '@accepted/shared/engine/engine';
import type { DeadLetterForMirror } from '@accepted/shared/ledger/dead-letters/mirrored-dead-letters';

/** A larger payload stays in the ledger, which has room for it; the engine's memory has not. */
export const MAX_SHOWN_PAYLOAD_BYTES = 8_192;

/**
 * Makes the entry that shows a dead letter: all that is needed to debug it, under the dead letter's own id, so that adding
 * it twice adds one.
 */
export function entryOf(letter: DeadLetterForMirror): ShelfEntry {
  return {
    id: publicId('deadLetter', letter.id),
    title: letter.type,
    diedAt: letter.createdAt,
    data: {
      jobId: publicId('job', letter.jobId),
      deadLetterId: publicId('deadLetter', letter.id),
      payload: shownPayload(letter),
      error: letter.error,
      reason: letter.reason,
      fingerprint: letter.fingerprint,
      attemptsMade: letter.attemptsMade,
      maxAttempts: letter.maxAttempts,
      attempt: letter.attempt,
      replayRound: letter.replayRound,
      tenantId: publicId('tenant', letter.tenantId),
      queue: letter.queue,
      type: letter.type,
      requestId: letter.requestId,
      traceId: letter.traceparent && traceIdOf(letter.traceparent),
      workerId: letter.workerId && publicId('worker', letter.workerId),
      versions: letter.versions,
      tags: letter.tags,
      metadata: letter.metadata,
      createdAt: letter.jobCreatedAt.toISOString(),
      startedAt: letter.startedAt?.toISOString() ?? null,
      failedAt: letter.createdAt.toISOString(),
    },
  };
}

function shownPayload({ payload, payloadBytes }: DeadLetterForMirror): unknown {
  if (payloadBytes <= MAX_SHOWN_PAYLOAD_BYTES) return payload;
  return `(${payloadBytes} bytes, too large to be shown here: read the job)`;
}
