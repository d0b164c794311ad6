import { publicId } from '@accepted/shared/core/job/id';
import { traceIdOf } from '@accepted/shared/core/job/trace-context';
import { digitsOf } from '@accepted/shared/core/json/exact-numbers';
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
    data: storable({
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
    }),
  };
}

function shownPayload({ payload, payloadBytes }: DeadLetterForMirror): unknown {
  if (payloadBytes <= MAX_SHOWN_PAYLOAD_BYTES) return payload;
  return `(${payloadBytes} bytes, too large to be shown here: read the job)`;
}

/**
 * Replaces what BullMQ's Postgres engine cannot store, NUL and halves of surrogate pairs: one entry that is refused
 * time and again would never be seen. A number of more digits than a double holds is shown as text: BullMQ parses what
 * it stores, and the browser does so again.
 */
function storable<T>(value: T): T;
function storable(value: unknown): unknown {
  const digits = digitsOf(value);
  if (digits !== undefined) return digits;
  if (typeof value === 'string') return value.toWellFormed().replaceAll('\0', '\ufffd');
  if (Array.isArray(value)) return value.map(storable);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [storable(key), storable(item)]));
}
