import { DEFAULT_BACKOFF } from '@accepted/shared/core/job/backoff';
import type { JobTypeDescription } from '@accepted/shared/core/job/job-type';
import { z } from 'zod';

const Category = z.object({
  name: z.string(),
  get children() {
    return z.array(Category);
  },
});

const HTTP_REQUEST = z.strictObject({
  method: z.enum(['GET', 'POST']).default('GET'),
  url: z.string().max(8_192),
  headers: z.record(z.string().regex(/^[a-z-]+$/), z.string()).default({}),
  /** Refers to itself: the very schema that generators once stopped at. */
  body: z.json().optional(),
});

const DISCRIMINATED = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('circle'), radius: z.number() }),
  z.object({ kind: z.literal('square'), side: z.number() }),
]);

/** Many fields: a schema of 60 kB. */
const HUGE = {
  type: 'object',
  properties: Object.fromEntries(
    Array.from({ length: 500 }, (_, n) => [
      `field${n}`,
      {
        type: 'string',
        description: `The field number ${n}, of many, to make this large.`,
        maxLength: n + 1,
      },
    ]),
  ),
};

/** What handlers may say of their payloads, each in a way that readers of OpenAPI have trouble with. */
const SCHEMAS: Record<string, unknown> = {
  'http.request': z.toJSONSchema(HTTP_REQUEST, { io: 'input' }),
  'odd.recursive': z.toJSONSchema(Category),
  'odd.union': z.toJSONSchema(DISCRIMINATED),
  'odd.itself': {
    $id: 'https://schemas.test/node',
    type: 'object',
    properties: { value: { type: 'number' }, next: { $ref: '#' } },
  },
  'odd.same-id': {
    $id: 'https://schemas.test/node',
    type: 'object',
    properties: { text: { $ref: '#/$defs/t' } },
    $defs: { t: { type: 'string' } },
  },
  'odd.anchors': {
    type: 'object',
    properties: { item: { $ref: '#thing' } },
    $defs: { any: { $anchor: 'thing', type: ['string', 'null'] } },
  },
  'odd.dynamic': {
    $dynamicAnchor: 'node',
    type: 'object',
    properties: { children: { type: 'array', items: { $dynamicRef: '#node' } } },
  },
  'odd.resources': {
    type: 'object',
    properties: { a: { $ref: 'one#/$defs/x' }, b: { $ref: 'two#/$defs/x' } },
    $defs: {
      one: { $id: 'one', $defs: { x: { type: 'string' } } },
      two: { $id: 'two', $defs: { x: { type: 'integer' } } },
    },
  },
  'odd.booleans': { type: 'object', properties: { any: true, none: false }, additionalProperties: false },
  'odd.true': true,
  'odd.empty': {},
  'odd.tuple': { type: 'array', prefixItems: [{ type: 'string' }, { type: 'integer' }], items: false },
  'odd.names': JSON.parse(
    '{"type":"object","properties":{"__proto__":{"type":"string"},"constructor":{"type":"string"},"a-b c":{"type":"string"},"$ref":{"type":"string"},"1":{"type":"string"},"type":{"const":"x"}}}',
  ),
  'odd.data': {
    type: 'object',
    properties: { a: { type: 'object', default: { $ref: '#/nowhere' }, examples: [{ $ref: 5 }] } },
    discriminator: 'no',
    example: { $ref: 'x' },
    'x-note': 1,
  },
  'odd.conditions': {
    type: 'object',
    properties: { a: { type: 'string' }, b: { type: 'string' } },
    if: { required: ['a'] },
    // biome-ignore lint/suspicious/noThenProperty: this is the name of the keyword.
    then: { required: ['b'] },
    dependentRequired: { b: ['a'] },
    patternProperties: { '^x-': { type: 'integer' } },
    propertyNames: { maxLength: 10 },
    unevaluatedProperties: false,
  },
  'odd.elsewhere': { $ref: 'https://elsewhere.test/schema' },
  'odd.broken': { type: 'nonsense' },
  'odd.huge': HUGE,
  'a.b': { type: 'object', properties: { dot: { type: 'string' } } },
  'a-b': { type: 'object', properties: { dash: { type: 'string' } } },
  a_b: { type: 'object', properties: { underscore: { type: 'string' } } },
  ['__proto__']: { type: 'object' },
  constructor: { type: 'object' },
};

/** Job types with such payloads, as a worker registers them. */
export const ODD_JOB_TYPES: JobTypeDescription[] = Object.entries(SCHEMAS).map(([type, payloadSchema]) => ({
  type,
  queue: 'default',
  payloadSchema: payloadSchema as object,
  defaults: { maxAttempts: 1, backoff: DEFAULT_BACKOFF, timeoutMs: 10_000 },
}));
