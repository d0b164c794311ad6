import { Type } from 'typebox';

/** The headers that requests may carry. What is not valid in them is for the code that reads them to say. */

export const IdempotencyKey = Type.Optional(
  Type.String({
    description:
      'Makes it safe to send the request again: the same key and body are answered with what the first made. 1 to 255 printable ASCII characters, bare or in double quotes.',
    examples: ['import-7'],
  }),
);

/** The header of every `POST` that acts on what is there. */
export const KeyHeader = Type.Object({ 'Idempotency-Key': IdempotencyKey });

export const Prefer = Type.Optional(
  Type.String({
    description:
      '`wait=N` waits at most N seconds for the job to finish, `respond-async` does not wait (RFC 7240). What is unknown is ignored.',
    examples: ['wait=10'],
  }),
);

export const IfNoneMatch = Type.Optional(
  Type.String({
    description: 'The `ETag` of an earlier answer: while it still holds the answer is 304 (RFC 9110).',
    examples: ['"v3"'],
  }),
);

export const Traceparent = Type.Optional(
  Type.String({
    description: 'The trace that the job belongs to (W3C Trace Context). One that is not valid is ignored.',
    examples: ['00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'],
  }),
);

export const Tracestate = Type.Optional(
  Type.String({
    description: 'What tracing systems keep with the trace (W3C Trace Context).',
    examples: ['vendor=value'],
  }),
);
