import { describe, expect, test } from 'vitest';
import { readDocument } from '../document/api-document.ts';
import type { FuzzRequest } from '../request/fuzz-request.ts';
import type { Answer } from './answer.ts';
import { createJudge } from './judge.ts';

const PROBLEM = { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } };

const document = readDocument({
  paths: {
    '/things/{id}': {
      get: {
        operationId: 'getThing',
        responses: {
          200: {
            description: 'The thing.',
            headers: {
              'X-Request-Id': { required: true, schema: { type: 'string' } },
              'Retry-After': { schema: { type: 'integer', minimum: 0 } },
            },
            content: { 'application/json': { schema: { $ref: '#/components/schemas/Thing' } } },
          },
          204: { description: 'Nothing to say.' },
          404: { description: '`thing_not_found`: There is no such thing.', content: PROBLEM },
          500: { description: '`internal_error`: Our fault.', content: PROBLEM },
          503: { description: '`overloaded`: Too much to do.', content: PROBLEM },
        },
      },
    },
  },
  components: {
    parameters: {},
    schemas: {
      Thing: {
        type: 'object',
        properties: { id: { type: 'string' }, at: { type: 'string', format: 'date-time' } },
        required: ['id'],
        additionalProperties: false,
      },
      Problem: { type: 'object', required: ['type', 'title', 'status', 'code'] },
    },
  },
});
const judge = createJudge(document);

const REQUEST: FuzzRequest = {
  madeFor: 'getThing',
  number: 3,
  twists: [],
  method: 'GET',
  target: '/things/a',
  headers: [],
  body: undefined,
  key: 'all',
  expected: 'anything',
};

const json = (value: unknown) => JSON.stringify(value);
const RIGHT: Answer = {
  status: 200,
  headers: { 'content-type': 'application/json; charset=utf-8', 'x-request-id': 'r' },
  text: json({ id: 'a', at: '2026-01-01T00:00:00Z' }),
  ms: 4_999,
};

function problem(status: number, code: string, change: object = {}): Answer {
  const body = { type: `https://a.test/problems/${code}`, title: 'A title', status, code, ...change };
  return { status, headers: { 'content-type': 'application/problem+json' }, text: json(body), ms: 1 };
}

test('an answer that is as documented is right', () => {
  expect(judge(REQUEST, RIGHT)).toEqual([]);
  expect(judge(REQUEST, problem(404, 'thing_not_found'))).toEqual([]);
  expect(judge(REQUEST, problem(503, 'overloaded'))).toEqual([]);
  expect(judge(REQUEST, { status: 204, headers: {}, text: '', ms: 1 })).toEqual([]);
});

describe('the judge is red', () => {
  test.each<[string, Answer | { error: string; ms: number }, RegExp]>([
    ['no answer came', { error: 'socket hang up', ms: 1 }, /^no answer: socket hang up/],
    ['it took longer than 5 s', { ...RIGHT, ms: 5_001 }, /^slow: It took 5001 ms; 5000 may be/],
    [
      'the status is not documented',
      { ...RIGHT, status: 201 },
      /^status: 201 is not documented for getThing; 200, 204/,
    ],
    ['it is a 500, documented or not', problem(500, 'internal_error'), /^server error: 500 is never right/],
    ['it is a 502', problem(502, 'bad'), /^server error: 502/],
    [
      'the content type is not documented',
      { ...RIGHT, headers: { ...RIGHT.headers, 'content-type': 'text/html' } },
      /^content type: 200 has the type text\/html; application\/json is documented/,
    ],
    ['the body breaks its schema', { ...RIGHT, text: json({ id: 5 }) }, /^body: 200: \/id must be string/],
    [
      'a field has not its format',
      { ...RIGHT, text: json({ id: 'a', at: 'now' }) },
      /^body: .* match format/,
    ],
    [
      'there is a field too many',
      { ...RIGHT, text: json({ id: 'a', b: 1 }) },
      /^body: .* additional properties/,
    ],
    ['the body is no JSON', { ...RIGHT, text: '{' }, /^body: The body is not JSON/],
    ['there is a body where none is documented', { ...RIGHT, status: 204 }, /^body: 204 has a body/],
    [
      'a header that must be there is not',
      { ...RIGHT, headers: { 'content-type': 'application/json' } },
      /^header: 200 lacks X-Request-Id/,
    ],
    [
      'a header is not of its type',
      { ...RIGHT, headers: { ...RIGHT.headers, 'retry-after': 'soon' } },
      /^header: 200, Retry-After: .*integer/,
    ],
    [
      'a problem is of another type',
      { ...problem(404, 'thing_not_found'), headers: { 'content-type': 'application/json' } },
      /^problem: 404 has the type/,
    ],
    [
      'a problem lacks its code',
      problem(404, 'thing_not_found', { code: undefined }),
      /^problem: The problem lacks code/,
    ],
    [
      'a problem says another status',
      problem(404, 'thing_not_found', { status: 400 }),
      /^problem: The problem says 400/,
    ],
    [
      'the code is not documented',
      problem(404, 'not_found'),
      /^problem: The code not_found is not documented for 404/,
    ],
  ])('when %s', (_name, answer, said) => {
    const found = judge(REQUEST, answer).map(({ rule, detail }) => `${rule}: ${detail}`);
    expect(found).toContainEqual(expect.stringMatching(said));
  });
});

test('what was to be refused must not be taken', () => {
  const refused: FuzzRequest = { ...REQUEST, expected: 'refused', twists: ['a comma too many'] };
  expect(judge(refused, RIGHT)).toEqual([
    { rule: 'expected', detail: 'a comma too many: a status from 400 to 499 was expected, and 200 came.' },
  ]);
  expect(judge(refused, problem(404, 'thing_not_found'))).toEqual([]);
  expect(judge(refused, problem(503, 'overloaded'))).toEqual([]);
  const foreign: FuzzRequest = { ...REQUEST, expected: [404] };
  expect(judge(foreign, RIGHT).map(({ rule }) => rule)).toEqual(['expected']);
  expect(judge(foreign, problem(404, 'thing_not_found'))).toEqual([]);
});

describe('a path or a method that there is not', () => {
  const wrongMethod: FuzzRequest = { ...REQUEST, method: 'PUT' };
  const refused = (allow: string): Answer => {
    const answer = problem(405, 'method_not_allowed');
    return { ...answer, headers: { ...answer.headers, allow } };
  };

  test('is told so', () => {
    expect(judge(wrongMethod, refused('GET, HEAD'))).toEqual([]);
    expect(judge({ ...REQUEST, target: '/nothing' }, problem(404, 'not_found'))).toEqual([]);
  });

  test('must not be taken, and the methods that there are must be named', () => {
    expect(judge(wrongMethod, RIGHT).map(({ rule }) => rule)).toEqual(['status']);
    expect(judge({ ...REQUEST, target: '/nothing' }, RIGHT).map(({ rule }) => rule)).toEqual(['status']);
    expect(judge(wrongMethod, refused('HEAD')).map(({ rule }) => rule)).toEqual(['header']);
  });
});

test('HEAD is answered like GET, without a body', () => {
  const head: FuzzRequest = { ...REQUEST, method: 'HEAD' };
  expect(judge(head, { ...RIGHT, text: '' })).toEqual([]);
  expect(judge(head, RIGHT).map(({ rule }) => rule)).toEqual(['body']);
});
