import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { Ajv } from 'ajv';
import addFormats from 'ajv-formats';
import type { FastifyInstance } from 'fastify';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { compileCheck } from '../src/http/faults.ts';
import { type ApiUnderTest, startApi } from './api-under-test.ts';

interface Schema {
  properties?: Record<string, Schema>;
  items?: Schema;
  oneOf?: Schema[];
}

/** The schemas that requests are checked by: bodies, queries and paths of all routes. */
const schemas = new Map<string, Schema>();
let api: ApiUnderTest;
beforeAll(async () => {
  subscribe('fastify.initialization', collect);
  api = await startApi();
  unsubscribe('fastify.initialization', collect);
});
afterAll(async () => await api?.[Symbol.asyncDispose]());

function collect(message: unknown): void {
  const { fastify } = message as { fastify: FastifyInstance };
  fastify.addHook('onRoute', ({ method, url, schema = {} }) => {
    const { body, querystring, params, headers } = schema as Record<string, Schema | undefined>;
    for (const [part, one] of Object.entries({ body, querystring, params, headers })) {
      if (one && url.startsWith('/v1/')) schemas.set(`${method} ${url} ${part}`, one);
    }
  });
}

const SAMPLES = [
  null,
  true,
  -1,
  1.5,
  1e18,
  '',
  'x',
  'x'.repeat(5_000),
  [],
  ['a', 'a'],
  [{}],
  {},
  { unknwon: 1 },
];

/** Makes values that are wrong in each place of a schema, in every way that `SAMPLES` knows. */
function* wrongValues(schema: Schema): Iterable<unknown> {
  yield* SAMPLES;
  for (const [name, field] of Object.entries(schema.properties ?? {})) {
    for (const value of wrongValues(field)) yield { [name]: value };
  }
  for (const branch of schema.oneOf ?? []) {
    const { type } = branch.properties ?? {};
    for (const value of wrongValues(branch))
      yield { ...(value as object), type: (type as { const?: string })?.const };
  }
  if (schema.items) for (const value of wrongValues(schema.items)) yield [value];
}

/** Words of validators, and of those who know what a schema is. */
const JARGON =
  /\b(must NOT|should|schemas?|valid|match|oneOf|anyOf|allOf|tag|keyword|propert(y|ies)|instance|discriminator|undefined)\b|\[object/i;

test('whatever is wrong with a request of any route is told in sentences without the words of a validator', () => {
  const details = new Set<string>();
  for (const schema of schemas.values()) {
    const ajv = new Ajv({ allErrors: true, verbose: true, discriminator: true, strict: false });
    addFormats.default(ajv);
    const check = compileCheck(ajv, schema, { prefix: '' });
    for (const value of wrongValues(schema)) for (const { detail } of check(value)) details.add(detail);
  }
  expect(schemas.size).toBeGreaterThan(20);
  expect(details.size).toBeGreaterThan(40);
  const isJargon = (detail: string) => JARGON.test(detail.replace(/`[^`]*`|"[^"]*"/g, ''));
  expect([...details].filter((detail) => isJargon(detail) || !/^[A-Z].*[.?]$/s.test(detail))).toEqual([]);
});

test('what a client gets is one fault for one mistake, with what is allowed', async () => {
  const body = {
    type: 'test.echo',
    payload: { count: 'many' },
    priorty: 'high',
    priority: 'hgh',
    retry: { backoff: { type: 'exponentail' } },
  };
  const { errors } = (await api.send('POST', '/v1/jobs', { body })).json();
  expect(errors).toEqual(
    expect.arrayContaining([
      { pointer: '/priorty', detail: 'There is no such field. Did you mean `priority`?' },
      {
        pointer: '/priority',
        detail: 'It must be one of "critical", "high", "normal" or "low". Did you mean "high"?',
      },
      {
        pointer: '/retry/backoff/type',
        detail: 'It must be one of "exponential", "fixed" or "schedule". Did you mean "exponential"?',
      },
      { pointer: '/payload/count', detail: 'It must be an integer, not a string.' },
    ]),
  );
  expect(errors).toHaveLength(4);
});

test('a backoff without its type is asked for it, and a priority that is no text for one that there is', async () => {
  const body = { type: 'test.echo', payload: {}, priority: null, retry: { backoff: {} } };
  const { errors } = (await api.send('POST', '/v1/jobs', { body })).json();
  expect(errors).toEqual([
    { pointer: '/priority', detail: 'It must be one of "critical", "high", "normal" or "low".' },
    {
      pointer: '/retry/backoff/type',
      detail: 'This field is required, and must be one of "exponential", "fixed" or "schedule".',
    },
  ]);
});
