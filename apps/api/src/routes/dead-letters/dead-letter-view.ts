import { publicId } from '@accepted/shared/core/job/id';
import { traceIdOf } from '@accepted/shared/core/job/trace-context';
import { JsonText } from '@accepted/shared/core/json/json-text';
import type { DeadLetterRow } from '@accepted/shared/ledger/connection/tables';
import type {
  DeadLetterDetails,
  DeadLetterListRow,
} from '@accepted/shared/ledger/dead-letters/read-dead-letters';
import { Type } from 'typebox';
import { link, orNull, time } from '../../schemas/shared-schemas.ts';
import { Attempt, endedAttempt } from '../jobs/attempt-view.ts';

const errorFields = {
  code: Type.String({ description: 'What kind of error it was.' }),
  message: Type.String({ description: 'What the handler said, for people.' }),
  retryable: Type.Boolean({ description: 'Whether another attempt could have helped.' }),
};

/** An error without its stack, as lists have it. */
export const DeadLetterError = Type.Object(errorFields, {
  title: 'DeadLetterError',
  additionalProperties: false,
  description: 'The error that the job died of.',
});

const summaryFields = {
  id: Type.String({ description: 'The id of the dead letter, `dlq_…`.' }),
  jobId: Type.String({ description: 'The id of the job that died.' }),
  queue: Type.String({ description: 'The queue of the job.' }),
  type: Type.String({ description: 'The type of the job.' }),
  reason: Type.String({ description: '`attempts_exhausted`, `permanent_error` or `poison`.' }),
  fingerprint: Type.String({ description: 'The same for alike errors.' }),
  attempt: Type.Integer({ description: 'The number of the attempt that was the last.' }),
  attemptsMade: Type.Integer({ description: 'Attempts that counted.' }),
  workerId: orNull(Type.String({ description: 'The worker that ran the last attempt.' })),
  versions: Type.Record(Type.String(), Type.String(), { description: 'What ran when the job died.' }),
  requestId: orNull(
    Type.String({ description: 'The `X-Request-Id` of the request that submitted the job.' }),
  ),
  traceId: orNull(Type.String({ description: 'The trace that the job belongs to.' })),
  createdAt: time('When the job died.'),
  resolution: orNull(Type.String({ description: '`replayed` or `discarded`; `null` while it is open.' })),
  resolvedAt: orNull(time('When somebody dealt with it.')),
  resolvedBy: orNull(Type.String({ description: 'The id of an API key, or `bull-board`.' })),
  resolvedReason: orNull(Type.String({ description: 'The reason that was given.' })),
  links: Type.Object(
    { self: link('The dead letter.'), job: link('Its job.'), replay: link('Where to `POST` to replay it.') },
    { title: 'DeadLetterLinks', description: 'Paths of the dead letter.' },
  ),
};

export const DeadLetterSummary = Type.Object(
  { ...summaryFields, error: DeadLetterError },
  {
    title: 'DeadLetterSummary',
    additionalProperties: false,
    description: 'A dead letter without its payload.',
  },
);

const Replay = Type.Object(
  {
    deadLetterId: Type.String({ description: 'The dead letter that was replayed.' }),
    replayedAt: time('When it was replayed.'),
    replayedBy: orNull(Type.String({ description: 'The id of an API key, or `bull-board`.' })),
    reason: orNull(Type.String({ description: 'The reason that was given.' })),
    payloadEdited: Type.Boolean({ description: 'Whether it was given another payload.' }),
  },
  { title: 'Replay', additionalProperties: false, description: 'A replay of the job.' },
);

export const DeadLetter = Type.Object(
  {
    ...summaryFields,
    error: Type.Object(
      {
        ...errorFields,
        stack: Type.Optional(Type.String({ description: 'Where in the handler it came from.' })),
      },
      { additionalProperties: false, description: 'The error that the job died of.' },
    ),
    payload: Type.Unknown({ description: 'What the job died with; a later replay may have changed it.' }),
    tags: Type.Array(Type.String(), { description: 'The tags of the job.' }),
    metadata: Type.Record(Type.String(), Type.Unknown(), { description: 'The metadata of the job.' }),
    maxAttempts: orNull(Type.Integer({ description: 'Attempts that the job gets.' })),
    jobStatus: orNull(Type.String({ description: 'What the job is now; `null` when it is gone.' })),
    jobCreatedAt: orNull(time('When the job was accepted.')),
    attempts: Type.Array(Attempt, { description: 'All attempts of the job with their stacks.' }),
    replays: Type.Array(Replay, { description: 'All replays of the job, the first one first.' }),
  },
  {
    title: 'DeadLetter',
    additionalProperties: false,
    description: 'All that is known of a job that failed for good.',
  },
);

/** Shows a dead letter in a list: without its stack, which can be long. */
export function deadLetterSummary(row: DeadLetterListRow) {
  const { code, message, retryable } = row.error;
  return { ...summaryOf(row, row), error: { code, message, retryable } };
}

/** Shows everything that helps to find out why a job died, without the request that it came from. */
export function deadLetterView({ letter, job, payloadJson, attempts, replays }: DeadLetterDetails) {
  const { code, message, retryable, stack } = letter.error;
  return {
    ...summaryOf(letter, job),
    error: { code, message, retryable, ...(stack !== undefined && { stack }) },
    payload: payloadJson === undefined ? null : new JsonText(payloadJson),
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
