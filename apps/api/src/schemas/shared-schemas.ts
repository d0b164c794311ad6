import { PRIORITIES } from '@accepted/shared/core/job/priority';
import { JOB_STATUSES } from '@accepted/shared/core/job/status';
import { SIZED_BY_CLIENTS } from '@accepted/shared/core/webhook/event';
import { type TSchema, Type } from 'typebox';
import { oneOf } from './one-of.ts';

/** Makes the schema of a time; `description` says of what. */
export function time(description: string) {
  return Type.String({ format: 'date-time', description, examples: ['2026-11-22T10:00:00.000Z'] });
}

/** Makes the schema of a path to something of this API. */
export function link(description: string) {
  return Type.String({ format: 'uri-reference', description });
}

/** Allows `null` beside a schema, in the way of JSON Schema 2020-12; what describes the schema describes the whole. */
export function orNull(schema: TSchema, options: object = {}): TSchema {
  const { description, ...rest } = schema as TSchema & { description?: string };
  return Type.Unsafe({ ...(description && { description }), ...options, anyOf: [rest, { type: 'null' }] });
}

const JobStatusSchema = oneOf(JOB_STATUSES, {
  title: 'JobStatus',
  description: 'Where the job is. `succeeded`, `failed`, `canceled` and `expired` are final.',
});

export const PrioritySchema = oneOf(PRIORITIES, {
  title: 'Priority',
  description: 'Which jobs of a queue go first; `normal` by default.',
});

const JobError = Type.Object(
  {
    code: Type.String({
      description: 'What kind of error it was, such as `timeout`.',
      examples: ['timeout'],
    }),
    message: Type.String({ description: 'What the handler said, for people.' }),
    retryable: Type.Boolean({ description: 'Whether another attempt could have helped.' }),
    attempt: Type.Integer({ description: 'The number of the attempt that it ended.' }),
  },
  { $id: 'JobError', additionalProperties: false, description: 'Why the latest attempt failed.' },
);

const JobWebhook = Type.Object(
  {
    url: Type.String({ description: 'Where the events are sent, as it was submitted.' }),
    events: Type.Array(Type.String({ examples: ['job.succeeded'] }), {
      description: 'The events it is told of.',
    }),
    deliveries: Type.Array(
      Type.Object(
        {
          id: Type.String({
            description: 'Of the job that delivers: `/v1/jobs/{id}/attempts` has each try.',
          }),
          event: Type.String({ description: 'The event that it tells of.', examples: ['job.succeeded'] }),
          status: JobStatusSchema,
          tries: Type.Integer({
            description: 'Counted anew when the dead letter of the delivery is replayed.',
          }),
          lastError: orNull(Type.Ref('JobError'), { description: 'Why the latest try failed, or `null`.' }),
        },
        { title: 'JobDelivery', additionalProperties: false, description: 'One event on its way.' },
      ),
      { description: 'The newest 20, the newest first. There is none before the job is finished.' },
    ),
  },
  { $id: 'JobWebhook', additionalProperties: false, description: 'Who is told how the job ends.' },
);

const summaryFields = {
  id: Type.String({
    description: 'The id of the job, `job_…`.',
    examples: ['job_01jvtg3n7be4a9z0q8y5w2m6kd'],
  }),
  type: Type.String({ description: 'The job type.', examples: ['http.request'] }),
  queue: Type.String({ description: 'The queue that it waits in.', examples: ['default'] }),
  status: JobStatusSchema,
  error: orNull(Type.Ref('JobError'), { description: 'The error of the latest attempt, or `null`.' }),
  progress: Type.Unknown({ description: 'What the handler reported last: any JSON, `null` at first.' }),
  priority: PrioritySchema,
  attemptsMade: Type.Integer({ description: 'Attempts that count against `maxAttempts`.' }),
  maxAttempts: Type.Integer({ description: 'Attempts that it gets before it fails for good.' }),
  attempt: Type.Integer({
    description: 'The number of the latest attempt, counted from 1; it never shrinks.',
  }),
  timeoutMs: Type.Integer({ description: 'How long one attempt may take.' }),
  runAt: time('When it is due: it does not start before this.'),
  expiresAt: orNull(time('When it expires if it has not started; `null` where it never does.')),
  concurrencyKey: orNull(
    Type.String({ description: 'Jobs of this key share a limit of how many run at once.' }),
  ),
  tags: Type.Array(Type.String(), { description: 'The tags that it was submitted with.' }),
  metadata: Type.Record(Type.String(), Type.Unknown(), {
    description: 'What the client keeps with the job; handlers are given it.',
  }),
  batchId: Type.Null({ description: 'The batch that it belongs to.' }),
  scheduleId: Type.Null({ description: 'The schedule that made it.' }),
  copyOf: orNull(Type.String({ description: 'The id of the job that it is a copy of.' })),
  deadLetterId: orNull(
    Type.String({ description: 'The id of its dead letter, `dlq_…`, when it failed for good.' }),
  ),
  requestId: orNull(Type.String({ description: 'The `X-Request-Id` of the request that submitted it.' })),
  traceId: orNull(Type.String({ description: 'The trace that it belongs to (W3C Trace Context).' })),
  version: Type.Integer({
    description: 'Grows with every change of the job; the ETag is made of it and of the deliveries.',
  }),
  createdAt: time('When it was accepted.'),
  dispatchedAt: orNull(time('When it was last handed to the workers.')),
  startedAt: orNull(time('When the latest attempt started.')),
  finishedAt: orNull(time('When it reached a final status.')),
  nextAttemptAt: orNull(time('When the next attempt is due; only while the status is `retrying`.')),
  cancelRequestedAt: orNull(time('When somebody asked it to stop.')),
  webhook: orNull(Type.Ref('JobWebhook'), { description: 'Who is told how it ends, or `null`.' }),
  links: Type.Object(
    {
      self: link('The job.'),
      result: link('Its result.'),
      attempts: link('Its attempts.'),
      cancel: link('Where to `POST` to cancel it.'),
    },
    { title: 'JobLinks', description: 'Paths of the job.' },
  ),
};

const JobSummary = Type.Object(summaryFields, {
  $id: 'JobSummary',
  additionalProperties: false,
  description: 'A job without its payload and result.',
});

const resultField = {
  result: Type.Unknown({
    description: 'What the handler returned: any JSON; `null` until it has succeeded.',
  }),
};

const Job = Type.Object(
  {
    ...summaryFields,
    payload: Type.Unknown({ description: 'The input, as it was submitted.' }),
    ...resultField,
  },
  { $id: 'Job', additionalProperties: false, description: 'A job, with its payload and its result.' },
);

// Who is sent a webhook need not be told where webhooks go.
const { webhook: _, ...factFields } = summaryFields;
const eventFields = { ...factFields, ...resultField };

/** The job as the body of a webhook carries it: what a client chose the size of may be left out. */
export const JobEventData = Type.Object(
  { ...eventFields, ...optional(eventFields, SIZED_BY_CLIENTS) },
  {
    title: 'JobEventData',
    additionalProperties: false,
    description:
      'The job without its payload; of a large one more is left out, and `links` says where to read it.',
  },
);

/** Makes the named ones of some fields optional. */
function optional(fields: Record<string, TSchema>, names: readonly string[]): Record<string, TSchema> {
  const chosen = Object.entries(fields).filter(([name]) => names.includes(name));
  return Object.fromEntries(chosen.map(([name, schema]) => [name, Type.Optional(schema)]));
}

const ProblemFault = Type.Object(
  {
    pointer: Type.String({
      description:
        'Where: a JSON Pointer (RFC 6901) into the body, or one that starts with `/query`, `/path` or `/headers`.',
      examples: ['/payload/url'],
    }),
    detail: Type.String({ description: 'What is wrong there, and what is allowed.' }),
  },
  { title: 'Fault', description: 'One thing that is wrong with a request.' },
);

const Problem = Type.Object(
  {
    type: Type.String({ format: 'uri', description: 'Leads to a page that explains the code.' }),
    title: Type.String({ description: 'What the code means, in a few words.' }),
    status: Type.Integer({ description: 'The status of the answer.' }),
    detail: Type.String({ description: 'What happened this time.' }),
    code: Type.String({ description: 'What to act on; see `/problems`.', examples: ['validation_failed'] }),
    requestId: Type.String({ description: 'The id of the request, to look for in logs.' }),
    errors: Type.Optional(
      Type.Array(ProblemFault, { description: 'Everything that is wrong with the request.' }),
    ),
  },
  {
    $id: 'Problem',
    description: 'RFC 9457 problem details. Some codes have further members, which their pages name.',
  },
);

/** The schemas that routes refer to by `$id`. */
export const sharedSchemas: TSchema[] = [JobError, JobWebhook, JobSummary, Job, Problem];

/** Makes the schema of a page of a list. */
export function pageOf(item: TSchema): TSchema {
  const { title, $ref } = item as { title?: string; $ref?: string };
  const name = title ?? $ref;
  return Type.Object(
    {
      data: Type.Array(item, { description: 'What is on this page.' }),
      hasMore: Type.Boolean({ description: 'Whether another page follows.' }),
      nextCursor: orNull(
        Type.String({ description: 'The `cursor` of the next page; `null` on the last one.' }),
      ),
    },
    { ...(name && { title: `${name}Page` }), additionalProperties: false, description: 'A page of a list.' },
  );
}
