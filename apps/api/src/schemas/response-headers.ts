/** The headers that answers carry, as OpenAPI has them. A route says what one means there; what it looks like is the same everywhere. */
const HEADER_SCHEMAS: Record<string, object> = {
  'Cache-Control': { type: 'string' },
  ETag: { type: 'string', pattern: '^(W/)?"[^"]*"$' },
  'Idempotent-Replayed': { type: 'string', enum: ['true'] },
  Link: { type: 'string' },
  Location: { type: 'string', format: 'uri-reference' },
  'Preference-Applied': { type: 'string' },
  RateLimit: { type: 'string' },
  'RateLimit-Policy': { type: 'string' },
  'Retry-After': { type: 'integer', minimum: 0 },
  Vary: { type: 'string' },
  'WWW-Authenticate': { type: 'string' },
  'X-Request-Id': { type: 'string' },
};

/** What a header means that every such answer has. */
interface Always {
  always: string;
}

/** What each header of an answer means, by name; it may be missing where it is not said that it is always there. */
export type HeaderTexts = Record<string, string | Always>;

export const always = (text: string): Always => ({ always: text });

export const ETAG_HEADERS: HeaderTexts = { ETag: always('Names this state; for `If-None-Match`.') };

/** What every answer with a job carries. */
export const JOB_HEADERS: HeaderTexts = {
  ...ETAG_HEADERS,
  'Retry-After': 'Seconds after which it pays to look again; only until the job is finished.',
};

export const REPLAYED_HEADERS: HeaderTexts = {
  'Idempotent-Replayed': '`true` when an earlier request with this key did it, and this one nothing.',
};

export const WAIT_HEADERS: HeaderTexts = {
  'Preference-Applied': 'Which preferences of `Prefer` were honoured, and how.',
};

/** What answers carry to a caller for whom rates or quotas are laid down (draft-ietf-httpapi-ratelimit-headers). */
export const RATE_HEADERS: HeaderTexts = {
  RateLimit: 'What is left, and seconds until all of it is there.',
  'RateLimit-Policy': 'Jobs that may be submitted in a window of seconds.',
};

export const PAGE_HEADERS: HeaderTexts = { Link: '`rel="next"` leads to the next page (RFC 8288).' };

const EVERY_ANSWER: HeaderTexts = {
  'Cache-Control': 'Whether the answer may be kept, and by whom (RFC 9111).',
  Vary: 'What of the request the form of the answer depends on, such as `Accept-Encoding` (RFC 9110).',
  'X-Request-Id': always('The id of the request, for logs: the one that it came with, or a new one.'),
};

/** Describes the headers of an answer: those of its own, and what every answer has. */
export function describeHeaders(own: HeaderTexts): Record<string, object> {
  const described = Object.entries({ ...EVERY_ANSWER, ...own }).map(([name, text]) => {
    const schema = HEADER_SCHEMAS[name] ?? { type: 'string' };
    const isOptional = typeof text === 'string';
    return [
      name,
      { ...schema, ...(isOptional ? { description: text } : { description: text.always, 'x-always': true }) },
    ];
  });
  return Object.fromEntries(described);
}
