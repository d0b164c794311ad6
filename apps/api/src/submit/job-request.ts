import type { BackoffRequest } from '@accepted/shared/core/job/backoff';
import { JOB_EVENT_TYPES } from '@accepted/shared/core/webhook/event';
import { type Static, Type } from 'typebox';
import { MAX_JSON_BYTES } from '../http/json-bytes-keyword.ts';
import { oneOf } from '../schemas/one-of.ts';
import { PrioritySchema } from '../schemas/shared-schemas.ts';

const DAY_MS = 86_400_000;

/** The timer of a runtime and the ledger's column hold 2^31 - 1 ms; a day is far below. */
const MAX_TIMEOUT_MS = DAY_MS;
const MAX_METADATA_BYTES = 16_384;
/** With nine digits of a second and a time zone it has 35. */
const MAX_TIME_LENGTH = 100;
export const MAX_DELAY_DAYS = 366;
export const MAX_DELAY_MS = MAX_DELAY_DAYS * DAY_MS;

const Jitter = Type.Optional(
  oneOf(['full', 'equal', 'none'], {
    description:
      'How much of a wait is left to chance, so that jobs that failed together do not return together: `full` (by default) all of it, `equal` half.',
  }),
);
const waitMs = (description: string) => Type.Integer({ minimum: 0, maximum: 30 * DAY_MS, description });

/** `discriminator` makes the validator answer for the one branch that `type` names, not for all of them. */
const BackoffSchema = Type.Unsafe<BackoffRequest>({
  title: 'Backoff',
  description: 'How long to wait before another attempt; what the job type says by default.',
  type: 'object',
  required: ['type'],
  discriminator: { propertyName: 'type' },
  oneOf: [
    strict(
      {
        type: Type.Literal('exponential', { description: 'Each wait is twice the one before.' }),
        delayMs: Type.Optional(waitMs('The first wait; 1,000 by default.')),
        maxMs: Type.Optional(waitMs('The longest wait; 600,000 by default.')),
        jitter: Jitter,
      },
      { title: 'ExponentialBackoff' },
    ),
    strict(
      {
        type: Type.Literal('fixed', { description: 'All waits are as long.' }),
        delayMs: waitMs('Each wait.'),
        jitter: Jitter,
      },
      { title: 'FixedBackoff' },
    ),
    strict(
      {
        type: Type.Literal('schedule', { description: 'Each wait is named.' }),
        delaysMs: Type.Array(waitMs('A wait.'), {
          minItems: 1,
          maxItems: 100,
          description: 'The waits, one for each attempt after the first; the last one goes on.',
        }),
        jitter: Jitter,
      },
      { title: 'ScheduledBackoff' },
    ),
  ],
});

const RetrySchema = strict(
  {
    maxAttempts: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 100,
        description: 'Attempts in all; what the job type says by default.',
      }),
    ),
    backoff: Type.Optional(BackoffSchema),
  },
  { description: 'What happens when an attempt fails.' },
);

const WebhookSchema = strict(
  {
    url: Type.String({ maxLength: 2_048, description: 'An absolute http or https URL without credentials.' }),
    events: Type.Optional(
      Type.Array(oneOf(JOB_EVENT_TYPES), {
        minItems: 1,
        maxItems: JOB_EVENT_TYPES.length,
        uniqueItems: true,
        description: 'Which events to send; all of them by default.',
      }),
    ),
  },
  { description: 'Whom to call when the job is finished.' },
);

/** The body of `POST /v1/jobs`. */
export const JobRequest = strict(
  {
    type: Type.String({ minLength: 1, maxLength: 200, description: 'A type of `GET /v1/job-types`.' }),
    payload: Type.Unknown({ description: 'The input of the job; the JSON Schema of its type decides.' }),
    queue: Type.Optional(
      Type.String({ minLength: 1, maxLength: 200, description: "The type's queue by default." }),
    ),
    priority: Type.Optional(PrioritySchema),
    runAt: Type.Optional(
      Type.String({
        format: 'date-time',
        maxLength: MAX_TIME_LENGTH,
        description: 'Not before this time (RFC 3339), which is at most 366 days ahead.',
      }),
    ),
    delayMs: Type.Optional(
      Type.Integer({ minimum: 0, maximum: MAX_DELAY_MS, description: 'Not before this has passed.' }),
    ),
    ttlMs: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: MAX_DELAY_MS,
        description:
          'Expires when it was not started within this, counted from the accept. Longer than it takes until it may start.',
      }),
    ),
    timeoutMs: Type.Optional(
      Type.Integer({ minimum: 1, maximum: MAX_TIMEOUT_MS, description: 'The time an attempt may take.' }),
    ),
    retry: Type.Optional(RetrySchema),
    concurrencyKey: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 255,
        description:
          'Jobs of your tenant with the same key, of whatever type and queue, run one at a time. A job counts by ' +
          'one key: where the type makes one of its own for the job, this one is dropped, and the job shows that of the type.',
      }),
    ),
    tags: Type.Optional(
      Type.Array(Type.String({ minLength: 1, maxLength: 100 }), {
        maxItems: 20,
        uniqueItems: true,
        description: 'Words to find it by.',
      }),
    ),
    metadata: Type.Optional(
      Type.Record(Type.String(), Type.Unknown(), {
        [MAX_JSON_BYTES]: MAX_METADATA_BYTES,
        description: 'Yours to use; at most 16 KiB.',
      }),
    ),
    webhook: Type.Optional(WebhookSchema),
  },
  {
    title: 'JobRequest',
    description: 'A job to run.',
    examples: [
      {
        type: 'http.request',
        payload: { method: 'GET', url: 'https://example.com/' },
        tags: ['nightly'],
        delayMs: 5_000,
      },
    ],
  },
);

export type JobRequest = Static<typeof JobRequest>;

/** Makes a schema of an object in which unknown fields are an error. */
function strict<T extends Parameters<typeof Type.Object>[0]>(properties: T, options: object = {}) {
  return Type.Object(properties, { ...options, additionalProperties: false });
}
