import { describe, expect, test } from 'vitest';
import { readDocument } from '../document/api-document.ts';
import { createDraw } from '../generate/draw.ts';
import { createMemory } from '../generate/known.ts';
import { createBodyCheck } from '../judge/breaks-body.ts';
import { createSchemaChecks } from '../judge/schema-checks.ts';
import { makeRequest, PLAIN_EVERY } from './make-request.ts';

const document = readDocument({
  paths: {
    '/v1/things/{id}': {
      post: {
        operationId: 'changeThing',
        security: [{ apiKey: [] }],
        'x-required-scope': 'jobs:write',
        parameters: [
          { name: 'id', in: 'path', description: 'The id of a job: `job_…`.', schema: { type: 'string' } },
          {
            name: 'limit',
            in: 'query',
            description: 'How many.',
            schema: { type: 'integer', minimum: 1, maximum: 9 },
          },
          { $ref: '#/components/parameters/RequestId' },
        ],
        requestBody: {
          required: true,
          content: { 'application/json': { schema: { $ref: '#/components/schemas/Change' } } },
        },
        responses: { 200: { description: 'Changed.' } },
      },
      get: { operationId: 'getThing', parameters: [], responses: { 200: { description: 'The thing.' } } },
    },
  },
  components: {
    parameters: {
      RequestId: { name: 'X-Request-Id', in: 'header', description: 'An id.', schema: { type: 'string' } },
    },
    schemas: {
      Change: {
        type: 'object',
        properties: { name: { type: 'string', minLength: 1, maxLength: 9 }, n: { type: 'integer' } },
        required: ['name'],
        additionalProperties: false,
      },
    },
  },
});
const [operation] = document.operations;
if (!operation) throw new Error('The document has no operation.');
const CHANGE = { $ref: '#/components/schemas/Change' };
const findFault = createSchemaChecks(document.schemas);
const breaksBody = createBodyCheck(findFault);

const JOB = 'job_01m80wvd14etfbnycmvzp2r688';

function make(number: number, seed = 1) {
  const known = createMemory();
  known.learnValue('job_', JOB);
  const draw = createDraw(`${seed} ${number}`);
  const context = { draw, document, schemas: document.schemas, known, foreign: createMemory() };
  const rest = { receiverUrl: 'http://127.0.0.1:1', now: new Date(0) };
  return makeRequest({ ...context, ...rest }, { operation: operation as never, number, breaksBody });
}

const many = Array.from({ length: 2_000 }, (_, number) => make(number));

test('a plain request is right by the document', () => {
  const plain = many.filter(({ number }) => number % PLAIN_EVERY === 0);
  for (const { twists, method, target, headers, body, key, expected } of plain) {
    expect([twists, method, key, expected]).toEqual([[], 'POST', 'all', 'anything']);
    expect(target).toMatch(/^\/v1\/things\/(job_[0-9a-z]{26}|[^/?]+)(\?limit=\d)?$/);
    expect(headers).toContainEqual(['Content-Type', 'application/json']);
    expect(findFault(CHANGE, JSON.parse(String(body)))).toBeUndefined();
  }
});

test('the second one is for an expectation that nobody meets', () => {
  expect(make(1)).toMatchObject({ expected: [417], twists: ['Expect: a-miracle'] });
});

test('the same seed makes the same request, another one another', () => {
  expect(make(7)).toEqual(make(7));
  expect(many.slice(0, 20)).not.toEqual(Array.from({ length: 20 }, (_, number) => make(number, 2)));
});

describe('among many requests there are', () => {
  test.each<[string, (request: (typeof many)[number]) => boolean]>([
    [
      'bodies against the schema',
      ({ expected, twists }) => expected === 'refused' && /edge value/.test(`${twists}`),
    ],
    ['bodies that are no JSON', ({ twists }) => /cut off/.test(`${twists}`)],
    ['bodies with __proto__', ({ body }) => `${body}`.includes('__proto__')],
    ['bodies with U+0000', ({ body }) => `${body}`.includes('\\u0000')],
    ['bodies nested beyond 64 levels', ({ body }) => `${body}`.includes('['.repeat(65))],
    ['bodies that are too large', ({ expected }) => `${expected}` === '413'],
    ['wrong media types', ({ expected }) => `${expected}` === '415'],
    ['ids of nobody and of others', ({ expected }) => `${expected}` === '404,422'],
    ['keys that may not', ({ expected }) => `${expected}` === '403'],
    ['no keys', ({ key, expected }) => key === 'none' && `${expected}` === '401'],
    ['wrong methods', ({ expected }) => `${expected}` === '405'],
    ['parameters that come twice', ({ target }) => /limit=.*&limit=/.test(target)],
    [
      'parameters beyond their bounds',
      ({ target, expected }) => /limit=10($|&)/.test(target) && expected === 'refused',
    ],
    ['several twists at once', ({ twists }) => twists.length > 1],
  ])('%s', (_name, isOne) => {
    expect(many.some(isOne)).toBe(true);
  });
});
