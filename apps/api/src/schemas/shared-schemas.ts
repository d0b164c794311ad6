import { PRIORITIES } from '@accepted/shared/job/priority';
import { JOB_STATUSES } from '@accepted/shared/job/status';
import { type TSchema, Type } from 'typebox';
import { oneOf } from './one-of.ts';

const Time = Type.String({ format: 'date-time' });

/** Allows `null` beside a schema, in the way of JSON Schema 2020-12. */
export function orNull(schema: TSchema): TSchema {
  return Type.Unsafe({ anyOf: [schema, { type: 'null' }] });
}

const JobStatus = oneOf(JOB_STATUSES);

const JobError = Type.Object(
  { code: Type.String(), message: Type.String(), retryable: Type.Boolean(), attempt: Type.Integer() },
  { $id: 'JobError', additionalProperties: false },
);

const summaryFields = {
  id: Type.String({ examples: ['job_01jvtg3n7be4a9z0q8y5w2m6kd'] }),
  type: Type.String(),
  queue: Type.String(),
  status: JobStatus,
  error: orNull(Type.Ref('JobError')),
  progress: Type.Unknown(),
  priority: oneOf(PRIORITIES),
  attemptsMade: Type.Integer({ description: 'Attempts that count against `maxAttempts`.' }),
  maxAttempts: Type.Integer(),
  attempt: Type.Integer({
    description: 'The number of the latest attempt, counted from 1; it never shrinks.',
  }),
  timeoutMs: Type.Integer(),
  runAt: Time,
  expiresAt: orNull(Time),
  concurrencyKey: orNull(Type.String()),
  tags: Type.Array(Type.String()),
  metadata: Type.Record(Type.String(), Type.Unknown()),
  batchId: Type.Null(),
  scheduleId: Type.Null(),
  copyOf: orNull(Type.String()),
  deadLetterId: orNull(Type.String()),
  requestId: orNull(Type.String()),
  traceId: orNull(Type.String()),
  version: Type.Integer({ description: 'Grows with every change; the ETag is made of it.' }),
  createdAt: Time,
  dispatchedAt: orNull(Time),
  startedAt: orNull(Time),
  finishedAt: orNull(Time),
  nextAttemptAt: orNull(Time),
  cancelRequestedAt: orNull(Time),
  links: Type.Object({
    self: Type.String(),
    result: Type.String(),
    attempts: Type.String(),
    cancel: Type.String(),
  }),
};

const JobSummary = Type.Object(summaryFields, {
  $id: 'JobSummary',
  additionalProperties: false,
  description: 'A job without its payload and result.',
});

const Job = Type.Object(
  { ...summaryFields, payload: Type.Unknown(), result: Type.Unknown() },
  { $id: 'Job', additionalProperties: false },
);

const Problem = Type.Object(
  {
    type: Type.String({ format: 'uri', description: 'Leads to a page that explains the code.' }),
    title: Type.String(),
    status: Type.Integer(),
    detail: Type.String(),
    code: Type.String({ description: 'What to act on; see `/problems`.' }),
    requestId: Type.String(),
    errors: Type.Optional(
      Type.Array(
        Type.Object({
          pointer: Type.String({ description: 'A JSON Pointer (RFC 6901).' }),
          detail: Type.String(),
        }),
      ),
    ),
  },
  { $id: 'Problem', description: 'RFC 9457 problem details.' },
);

/** The schemas that routes refer to by `$id`. */
export const sharedSchemas: TSchema[] = [JobError, JobSummary, Job, Problem];

/** Makes the schema of a page of a list. */
export function pageOf(item: TSchema): TSchema {
  return Type.Object(
    { data: Type.Array(item), hasMore: Type.Boolean(), nextCursor: orNull(Type.String()) },
    { additionalProperties: false },
  );
}
