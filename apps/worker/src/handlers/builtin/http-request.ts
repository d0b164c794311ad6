import { defineJob, type JobContext } from '@accepted/job';
import { z } from 'zod';
import type { Outbound, OutboundReply } from '../../outbound/guarded-request.ts';
import { replyText } from '../../outbound/reply-text.ts';
import { failedCall, failedReply } from './failed-reply.ts';

/** These say how a message is framed, or where it goes, which only the client that sends it can know. */
const RESERVED_HEADERS = new Set(
  'connection content-length expect host keep-alive proxy-authorization proxy-connection te trailer transfer-encoding upgrade'.split(
    ' ',
  ),
);

/** RFC 9110, section 5: a header's name is a token, its value has no line breaks. */
const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const HEADER_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

const payloadSchema = z.strictObject({
  method: z.enum(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']).default('GET'),
  url: z.string().max(8_192),
  headers: z
    .record(z.string().regex(HEADER_NAME), z.string().regex(HEADER_VALUE))
    .refine((headers) => Object.keys(headers).every((name) => !RESERVED_HEADERS.has(name.toLowerCase())), {
      error: `may not name ${[...RESERVED_HEADERS].join(', ')}`,
    })
    .default({}),
  /** Text is sent as it is, any other JSON value as JSON. */
  body: z.json().optional(),
  timeoutMs: z.int().min(1).max(60_000).default(15_000),
});

const resultSchema = z.object({
  status: z.int(),
  headers: z.record(z.string(), z.union([z.string(), z.array(z.string())])),
  /** JSON and text as themselves, at most 64 KiB; what is neither as base64. */
  body: z.json(),
  bodyEncoding: z.enum(['json', 'text', 'base64']),
  truncated: z.boolean(),
  durationMs: z.int(),
});

/** RFC 9110: a timeout of the server, too early, too many requests. Every other 4xx stays wrong however often it is sent. */
const RETRYABLE_4XX = [408, 425, 429];

/** Defines `http.request`: calls a URL as a job, for users of any language. A redirect is a result, not followed. */
export function defineHttpRequest(outbound: Outbound) {
  return defineJob({
    type: 'http.request',
    payload: payloadSchema,
    result: resultSchema,
    // Above the longest timeout of a call, so that a slow call is told as one.
    timeoutMs: 65_000,
    async run(payload, ctx) {
      const call = { ...payload, ...writeBody(payload, ctx), signal: ctx.signal };
      const reply = await outbound(call).catch((error: unknown) => {
        throw failedCall(error);
      });
      if (reply.status >= 400) throw failedReply(reply, payload.url, isRetryable(reply.status));
      const { status, headers, truncated, durationMs } = reply;
      return { status, headers, ...readBody(reply), truncated, durationMs };
    },
  });
}

function isRetryable(status: number): boolean {
  return status >= 500 || RETRYABLE_4XX.includes(status);
}

/** The caller's headers win, so that a receiver with a scheme of its own can be served. */
function writeBody({ headers, body }: z.output<typeof payloadSchema>, ctx: JobContext) {
  const { traceparent, tracestate } = ctx.job;
  const given = Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]),
  );
  const isText = body === undefined || typeof body === 'string';
  return {
    headers: {
      'idempotency-key': ctx.idempotencyKey,
      'user-agent': 'Accepted',
      ...(traceparent && { traceparent }),
      ...(tracestate && { tracestate }),
      ...(!isText && { 'content-type': 'application/json' }),
      ...given,
    },
    body: isText ? body : JSON.stringify(body),
  };
}

type Body = Pick<z.input<typeof resultSchema>, 'body' | 'bodyEncoding'>;

function readBody({ headers, body, truncated }: OutboundReply): Body {
  const text = replyText(body, truncated);
  if (text === undefined) return { body: body.toString('base64'), bodyEncoding: 'base64' };
  const isJson = /^application\/(\S+\+)?json\b/i.test(String(headers['content-type']));
  return (isJson && !truncated ? readJson(text) : undefined) ?? { body: text, bodyEncoding: 'text' };
}

/** JSON may spell text that Postgres cannot hold, such as `\u0000`; then it is kept as it was spelled. */
function readJson(text: string): Body | undefined {
  try {
    return /\\u(0000|d[89a-f])/i.test(text) ? undefined : { body: JSON.parse(text), bodyEncoding: 'json' };
  } catch {
    return undefined;
  }
}
