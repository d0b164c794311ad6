import { defineJob, type JobContext } from '@accepted/job';
import { parseExactly } from '@accepted/shared/core/json/exact-numbers';
import { pathTooDeep } from '@accepted/shared/core/json/nesting';
import { findHeaderFaults, HTTP_REQUEST_TYPE } from '@accepted/shared/core/outbound/http-request-faults';
import { z } from 'zod';
import type { Outbound, OutboundReply } from '../../outbound/guarded-request.ts';
import { replyText } from '../../outbound/reply-text.ts';
import { expectedStatus, isExpected } from './expected-status.ts';
import { failedCall, failedReply } from './failed-reply.ts';
import { signedHeaders, type WebhookSecrets } from './signed-headers.ts';

/** RFC 9110, section 5: a header's name is a token, its value has no line breaks. */
const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const HEADER_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/** What JSON Schema cannot say of it is in `findHttpRequestFaults`, which the API asks too. */
const payloadSchema = z
  .strictObject({
    method: z.enum(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']).default('GET'),
    url: z
      .string()
      .max(8_192)
      .describe(
        'An absolute http or https URL without credentials. A fragment is not sent. Redirects are not followed.',
      ),
    headers: z
      .record(z.string().regex(HEADER_NAME), z.string().regex(HEADER_VALUE))
      .default({})
      .describe(
        'Sent beside `idempotency-key` (the id of the job), `user-agent`, `traceparent` and, for a JSON body, `content-type`; yours win. ' +
          'What frames the message, such as `content-length`, `expect`, `host` or `transfer-encoding`, is refused.',
      ),
    // Not `z.json()`, which would copy it number by number: what was written is what is sent.
    body: z
      .unknown()
      .optional()
      .describe('Text is sent as it is, any other JSON value as JSON, with every digit of its numbers.'),
    timeoutMs: z.int().min(1).max(60_000).default(15_000).describe('For the whole call, reply included.'),
    expectStatus: expectedStatus
      .default('2xx')
      .describe(
        'The statuses that are a success, such as `200`, `"2xx"` or `["2xx", 404]`. Any other fails the attempt: ' +
          '408, 425, 429 and 5xx are tried again, every other is final.',
      ),
    sign: z
      .boolean()
      .default(false)
      .describe(
        "Signs the request as a webhook is, with the tenant's secret (Standard Webhooks 1.0.0); `webhook-id` is the id of the job.",
      ),
  })
  .superRefine(({ headers, sign }, ctx) => {
    for (const { path, detail } of findHeaderFaults(headers, sign))
      ctx.addIssue({ code: 'custom', path, message: detail });
  });

type Payload = z.output<typeof payloadSchema>;

const resultSchema = z.object({
  status: z.int(),
  headers: z.record(z.string(), z.union([z.string(), z.array(z.string())])),
  body: z
    .unknown()
    .describe('JSON and text as themselves, at most 64 KiB of the reply; what is neither as base64.'),
  bodyEncoding: z.enum(['json', 'text', 'base64']),
  truncated: z.boolean().describe('Whether the reply was longer than 64 KiB; the rest was not read.'),
  durationMs: z.int(),
});

/** RFC 9110: a timeout of the server, too early, too many requests. Every other 4xx stays wrong however often it is sent. */
const RETRYABLE_4XX = [408, 425, 429];

/** Defines `http.request`: calls a URL as a job, for users of any language. A redirect is not followed. */
export function defineHttpRequest(outbound: Outbound, webhookSecrets: WebhookSecrets) {
  return defineJob({
    type: HTTP_REQUEST_TYPE,
    payload: payloadSchema,
    result: resultSchema,
    // Above the longest timeout of a call, so that a slow call is told as one.
    timeoutMs: 65_000,
    async run(payload, ctx) {
      const { method, url, timeoutMs } = payload;
      const body = writeBody(payload.body);
      const signature = payload.sign ? await sign(webhookSecrets, ctx, body) : {};
      const headers = { ...writeHeaders(payload, ctx), ...signature };
      const reply = await outbound({ method, url, headers, body, timeoutMs, signal: ctx.signal }).catch(
        (error: unknown) => {
          throw failedCall(error);
        },
      );
      if (!isExpected(reply.status, payload.expectStatus))
        throw failedReply(reply, url, isRetryable(reply.status));
      const { status, headers: received, truncated, durationMs } = reply;
      return { status, headers: received, ...readBody(reply), truncated, durationMs };
    },
  });
}

function isRetryable(status: number): boolean {
  return status >= 500 || RETRYABLE_4XX.includes(status);
}

function writeBody(body: unknown): string | undefined {
  return body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
}

function sign(webhookSecrets: WebhookSecrets, ctx: JobContext, body = ''): Promise<Record<string, string>> {
  return signedHeaders(webhookSecrets, { id: ctx.job.id, tenantId: ctx.job.tenantId, body });
}

/** The caller's headers win, so that a receiver with a scheme of its own can be served. */
function writeHeaders({ headers, body }: Payload, ctx: JobContext): Record<string, string> {
  const { traceparent, tracestate } = ctx.job;
  const given = Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]),
  );
  const isJson = body !== undefined && typeof body !== 'string';
  return {
    'idempotency-key': ctx.idempotencyKey,
    'user-agent': 'Accepted',
    ...(traceparent && { traceparent }),
    ...(tracestate && { tracestate }),
    ...(isJson && { 'content-type': 'application/json' }),
    ...given,
  };
}

type Body = Pick<z.input<typeof resultSchema>, 'body' | 'bodyEncoding'>;

function readBody({ headers, body, truncated }: OutboundReply): Body {
  const text = replyText(body, truncated);
  if (text === undefined) return { body: body.toString('base64'), bodyEncoding: 'base64' };
  const isJson = /^application\/(\S+\+)?json\b/i.test(String(headers['content-type']));
  return (isJson && !truncated ? readJson(text) : undefined) ?? { body: text, bodyEncoding: 'text' };
}

/**
 * JSON may spell text that Postgres cannot hold, such as `\u0000`, or be nested deeper than code behind us bears. Then it
 * is kept as it was spelled: the call has had its effect, so its job must not fail of what came back.
 */
function readJson(text: string): Body | undefined {
  if (/\\u(0000|d[89a-f])/i.test(text)) return undefined;
  try {
    const body = parseExactly(text);
    return pathTooDeep(body) ? undefined : { body, bodyEncoding: 'json' };
  } catch {
    return undefined;
  }
}
