import type { BackoffRequest } from '@accepted/shared/job/backoff';
import { PRIORITIES } from '@accepted/shared/job/priority';
import { JOB_EVENT_TYPES } from '@accepted/shared/webhook/event';
import { type Static, Type } from 'typebox';
import { oneOf } from '../schemas/one-of.ts';

const DAY_MS = 86_400_000;

/** The timer of a runtime and the ledger's column hold 2^31 - 1 ms; a day is far below. */
const MAX_TIMEOUT_MS = DAY_MS;
const MAX_DELAY_MS = 366 * DAY_MS;

const Jitter = Type.Optional(oneOf(['full', 'equal', 'none']));
const WaitMs = Type.Integer({ minimum: 0, maximum: 30 * DAY_MS });

/** `discriminator` makes the validator answer for the one branch that `type` names, not for all of them. */
const BackoffSchema = Type.Unsafe<BackoffRequest>({
  type: 'object',
  required: ['type'],
  discriminator: { propertyName: 'type' },
  oneOf: [
    strict({
      type: Type.Literal('exponential'),
      delayMs: Type.Optional(WaitMs),
      maxMs: Type.Optional(WaitMs),
      jitter: Jitter,
    }),
    strict({ type: Type.Literal('fixed'), delayMs: WaitMs, jitter: Jitter }),
    strict({
      type: Type.Literal('schedule'),
      delaysMs: Type.Array(WaitMs, { minItems: 1, maxItems: 100 }),
      jitter: Jitter,
    }),
  ],
});

const RetrySchema = strict({
  maxAttempts: Type.Optional(Type.Integer({ minimum: 1, maximum: 100 })),
  backoff: Type.Optional(BackoffSchema),
});

const WebhookSchema = strict({
  url: Type.String({ maxLength: 2_048, description: 'An absolute http or https URL without credentials.' }),
  events: Type.Optional(
    Type.Array(oneOf(JOB_EVENT_TYPES), {
      minItems: 1,
      uniqueItems: true,
      description: 'Which events to send; all of them by default.',
    }),
  ),
});

/** The body of `POST /v1/jobs`. */
export const JobRequest = strict(
  {
    type: Type.String({ minLength: 1, maxLength: 200, description: 'A type of `GET /v1/job-types`.' }),
    payload: Type.Unknown({ description: 'The input of the job; the JSON Schema of its type decides.' }),
    queue: Type.Optional(
      Type.String({ minLength: 1, maxLength: 200, description: "The type's queue by default." }),
    ),
    priority: Type.Optional(oneOf(PRIORITIES)),
    runAt: Type.Optional(
      Type.String({ format: 'date-time', description: 'Not before this time (RFC 3339).' }),
    ),
    delayMs: Type.Optional(
      Type.Integer({ minimum: 0, maximum: MAX_DELAY_MS, description: 'Not before this has passed.' }),
    ),
    ttlMs: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: MAX_DELAY_MS,
        description: 'Expires when it was not started within this.',
      }),
    ),
    timeoutMs: Type.Optional(
      Type.Integer({ minimum: 1, maximum: MAX_TIMEOUT_MS, description: 'The time an attempt may take.' }),
    ),
    retry: Type.Optional(RetrySchema),
    concurrencyKey: Type.Optional(Type.String({ minLength: 1, maxLength: 255 })),
    tags: Type.Optional(
      Type.Array(Type.String({ minLength: 1, maxLength: 100 }), { maxItems: 20, uniqueItems: true }),
    ),
    metadata: Type.Optional(
      Type.Record(Type.String(), Type.Unknown(), { description: 'Yours to use; at most 16 KiB.' }),
    ),
    webhook: Type.Optional(WebhookSchema),
  },
  {
    examples: [
      {
        type: 'http.request',
        payload: { method: 'GET', url: 'https://example.com/' },
        tags: ['a'],
        delayMs: 0,
      },
    ],
  },
);

export type JobRequest = Static<typeof JobRequest>;

/** Makes a schema of an object in which unknown fields are an error. */
function strict<T extends Parameters<typeof Type.Object>[0]>(properties: T, options: object = {}) {
  return Type.Object(properties, { ...options, additionalProperties: false });
}
