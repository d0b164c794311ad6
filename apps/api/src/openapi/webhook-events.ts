import { JOB_EVENT_TYPES } from '@accepted/shared/core/webhook/event';
import { Type } from 'typebox';
import { JobEventData } from '../schemas/shared-schemas.ts';

const HEADERS = {
  'webhook-id': {
    description: 'The id of the event, the same on every try: keep it, and drop what you have seen.',
    schema: { type: 'string', pattern: '^evt_[0-9a-z]{26}$' },
  },
  'webhook-timestamp': {
    description: 'When this try was made, in seconds since 1970.',
    schema: { type: 'integer' },
  },
  'webhook-signature': {
    description:
      'Signatures of `<webhook-id>.<webhook-timestamp>.<body>` with spaces between them, each `v1,` and the base64 of an HMAC-SHA256. One of them being right is enough.',
    schema: { type: 'string' },
  },
};

const MEANINGS: Record<string, string> = {
  'job.succeeded': 'A job succeeded',
  'job.failed': 'A job failed for good',
  'job.canceled': 'A job was canceled',
  'job.expired': 'A job expired before it was started',
};

/** Describes the requests that the platform sends, one for each event (Standard Webhooks 1.0.0). */
export function describeWebhooks(): Record<string, object> {
  return Object.fromEntries(JOB_EVENT_TYPES.map((type) => [type, { post: describeEvent(type) }]));
}

function describeEvent(type: string): object {
  return {
    operationId: type.replace(/\.(\w)/, (_, letter: string) => letter.toUpperCase()),
    summary: MEANINGS[type] ?? type,
    description:
      'Sent to the `webhook.url` of the job, at least once, signed after Standard Webhooks 1.0.0. Redirects are not followed, and a try is cut off after 15 s.',
    tags: ['webhooks'],
    security: [],
    parameters: Object.entries(HEADERS).map(([name, header]) => ({
      name,
      in: 'header',
      required: true,
      ...header,
    })),
    requestBody: { required: true, content: { 'application/json': { schema: eventBody(type) } } },
    responses: {
      '2XX': { description: 'You have it. Any status from 200 to 299 will do.' },
      default: {
        description: 'It is tried again later, ten times in all; `Retry-After` makes the wait longer.',
      },
    },
  };
}

function eventBody(type: string): object {
  return Type.Object(
    {
      type: Type.Literal(type, { description: 'The event.' }),
      timestamp: Type.String({ format: 'date-time', description: 'When it happened.' }),
      data: JobEventData,
    },
    {
      title: `${pascalCase(type)}Event`,
      additionalProperties: false,
      description: `${MEANINGS[type] ?? type}.`,
    },
  );
}

function pascalCase(type: string): string {
  return type
    .split('.')
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join('');
}
