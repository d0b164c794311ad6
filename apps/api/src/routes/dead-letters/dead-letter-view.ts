import type { DeadLetterDetails, DeadLetterListRow } from '@accepted/shared/database/read-dead-letters';
import type { DeadLetterRow } from '@accepted/shared/database/tables';
import { publicId } from '@accepted/shared/job/id';
import { traceIdOf } from '@accepted/shared/job/trace-context';
import { Type } from 'typebox';
import { orNull } from '../../schemas/shared-schemas.ts';
import { Attempt, endedAttempt } from '../jobs/attempt-view.ts';

const Time = Type.String({ format: 'date-time' });

const errorFields = { code: Type.String(), message: Type.String(), retryable: Type.Boolean() };

/** An error without its stack, as lists have it. */
export const DeadLetterError = Type.Object(errorFields, { additionalProperties: false });

const summaryFields = {
  id: Type.String(),
  jobId: Type.String(),
  queue: Type.String(),
  type: Type.String(),
  reason: Type.String({ description: '`attempts_exhausted`, `permanent_error` or `poison`.' }),
  fingerprint: Type.String({ description: 'The same for alike errors.' }),
  attempt: Type.Integer({ description: 'The number of the attempt that was the last.' }),
  attemptsMade: Type.Integer(),
  workerId: orNull(Type.String()),
  versions: Type.Record(Type.String(), Type.String(), { description: 'What ran when the job died.' }),
  requestId: orNull(Type.String()),
  traceId: orNull(Type.String()),
  createdAt: Time,
  resolution: orNull(Type.String({ description: '`replayed` or `discarded`; `null` while it is open.' })),
  resolvedAt: orNull(Time),
  resolvedBy: orNull(Type.String({ description: 'The id of an API key, or `bull-board`.' })),
  resolvedReason: orNull(Type.String()),
  links: Type.Object({ self: Type.String(), job: Type.String(), replay: Type.String() }),
};

export const DeadLetterSummary = Type.Object(
  { ...summaryFields, error: DeadLetterError },
  { additionalProperties: false },
);

const Replay = Type.Object(
  {
    deadLetterId: Type.String(),
    replayedAt: Time,
    replayedBy: orNull(Type.String()),
    reason: orNull(Type.String()),
    payloadEdited: Type.Boolean(),
  },
  { additionalProperties: false },
);

export const DeadLetter = Type.Object(
  {
    ...summaryFields,
    error: Type.Object(
      { ...errorFields, stack: Type.Optional(Type.String()) },
      { additionalProperties: false },
    ),
    payload: Type.Unknown({ description: 'What the job died with; a later replay may have changed it.' }),
    tags: Type.Array(Type.String()),
    metadata: Type.Record(Type.String(), Type.Unknown()),
    maxAttempts: orNull(Type.Integer()),
    jobStatus: orNull(Type.String({ description: 'What the job is now; `null` when it is gone.' })),
    jobCreatedAt: orNull(Time),
    attempts: Type.Array(Attempt, { description: 'All attempts of the job with their stacks.' }),
    replays: Type.Array(Replay, { description: 'All replays of the job, the first one first.' }),
  },
  { additionalProperties: false },
);

/** Shows a dead letter in a list: without its stack, which can be long. */
export function deadLetterSummary(row: DeadLetterListRow) {
  const { code, message, retryable } = row.error;
  return { ...summaryOf(row, row), error: { code, message, retryable } };
}

/** Shows everything that helps to find out why a job died, without the request that it came from. */
export function deadLetterView({ letter, job, payload, attempts, replays }: DeadLetterDetails) {
  const { code, message, retryable, stack } = letter.error;
  return {
    ...summaryOf(letter, job),
    error: { code, message, retryable, ...(stack !== undefined && { stack }) },
    payload: payload ?? null,
    tags: job?.tags ?? [],
    metadata: job?.metadata ?? {},
    maxAttempts: job?.max_attempts ?? null,
    jobStatus: job?.status ?? null,
    jobCreatedAt: job?.created_at.toISOString() ?? null,
    attempts: attempts.map((attempt) => endedAttempt(attempt, true)),
    replays: replays.map((replay) => ({
      deadLetterId: publicId('deadLetter', replay.deadLetterId),
      replayedAt: replay.resolvedAt.toISOString(),
      replayedBy: replay.resolvedBy,
      reason: replay.resolvedReason,
      payloadEdited: replay.isEdited,
    })),
  };
}

interface Origin {
  request_id: string | null;
  traceparent: string | null;
}

function summaryOf(row: DeadLetterRow, origin: Origin | undefined) {
  const id = publicId('deadLetter', row.id);
  const jobId = publicId('job', row.job_id);
  const self = `/v1/dead-letters/${id}`;
  return {
    id,
    jobId,
    queue: row.queue,
    type: row.type,
    reason: row.reason,
    fingerprint: row.fingerprint,
    attempt: row.attempt,
    attemptsMade: row.attempts_made,
    workerId: row.worker_id && publicId('worker', row.worker_id),
    versions: row.versions,
    requestId: origin?.request_id ?? null,
    traceId: origin?.traceparent ? traceIdOf(origin.traceparent) : null,
    createdAt: row.created_at.toISOString(),
    resolution: row.resolution,
    resolvedAt: row.resolved_at?.toISOString() ?? null,
    resolvedBy: row.resolved_by,
    resolvedReason: row.resolved_reason,
    links: { self, job: `/v1/jobs/${jobId}`, replay: `${self}/replay` },
  };
}
