import { describe, expect, test } from 'vitest';
import type { FuzzRequest } from '../request/fuzz-request.ts';
import { curlOf } from './curl.ts';
import { faultsOf } from './faults.ts';
import type { RunReport } from './run-report.ts';
import { createViolations } from './violations.ts';

const MIB = 2 ** 20;
const URL = 'http://127.0.0.1:3000';
const KEY = `acc_${'a'.repeat(26)}_${'0'.repeat(64)}`;

const REQUEST: FuzzRequest = {
  madeFor: 'submitJob',
  number: 7,
  twists: ['a body cut off'],
  method: 'POST',
  target: '/v1/jobs?a=%00',
  headers: [['X-Empty', '']],
  body: Buffer.from('{"it\'s":"\u0001\u00E4'),
  key: 'all',
  expected: 'refused',
};

const SOUND: Omit<RunReport, 'faults'> = {
  command: 'npm run fuzz',
  seed: 1,
  requests: 1,
  operations: [],
  violations: [],
  without: { '2xx': [], '4xx': [] },
  memory: { warm: 200 * MIB, end: 232 * MIB },
  broke: undefined,
  dead: [],
};

test('a request is a line for a shell, with names for keys', () => {
  expect(curlOf(REQUEST, URL)).toBe(
    `curl -i --path-as-is -X POST -H "Authorization: Bearer $KEY" -H 'X-Empty;' --data-raw $'{"it\\'s":"\\x01\u00E4' 'http://127.0.0.1:3000/v1/jobs?a=%00'`,
  );
  expect(curlOf({ ...REQUEST, key: 'none', body: undefined }, URL)).not.toContain('Authorization');
});

test('violations of a kind are told once, with the first request, its answer, and no key', () => {
  const violations = createViolations(URL, ['a', 'of request-7', 'b']);
  const answer = {
    status: 201,
    headers: { 'x-request-id': 'request-7' },
    text: JSON.stringify({ key: KEY }),
    ms: 12,
  };
  for (const id of ['1111', '2222'])
    violations.add({ rule: 'status', detail: `${id} is not documented` }, REQUEST, answer);
  violations.add({ rule: 'slow', detail: 'It took 6000 ms' }, REQUEST, answer);
  const [first, second] = violations.all();
  expect(first).toMatchObject({ operation: 'submitJob', rule: 'status', count: 2, number: 7 });
  expect(first?.answer).toBe('201 after 12 ms\nx-request-id: request-7\n\n{"key":"acc_…"}');
  expect(first?.log).toEqual(['of request-7']);
  expect(second?.rule).toBe('slow');
});

describe('a run', () => {
  test('without a fault is green', () => {
    expect(faultsOf(SOUND)).toEqual([]);
  });

  test.each<[string, Partial<RunReport>, RegExp]>([
    [
      'an operation without a 2xx',
      { without: { '2xx': ['getJob'], '4xx': [] } },
      /getJob was never answered with a 2xx/,
    ],
    [
      'an operation without a 4xx',
      { without: { '2xx': [], '4xx': ['getJob'] } },
      /getJob was never answered with a 4xx/,
    ],
    ['a run that broke off', { broke: 'no answer' }, /The run broke off: no answer/],
    ['a process that ended', { dead: ['API'] }, /The API has ended/],
    [
      'memory that grows',
      { memory: { warm: 200 * MIB, end: 233 * MIB } },
      /33 MiB more than after the warm-up; 32 may be/,
    ],
    [
      'a violation',
      {
        violations: [
          {
            operation: 'getJob',
            rule: 'body',
            detail: 'wrong',
            count: 3,
            number: 1,
            twists: [],
            curl: '',
            answer: '',
            log: [],
          },
        ],
      },
      /getJob: body: wrong \(3 ×\)/,
    ],
  ])('with %s is red', (_name, change, fault) => {
    expect(faultsOf({ ...SOUND, ...change })).toEqual([expect.stringMatching(fault)]);
  });
});
