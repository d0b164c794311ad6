import { DEFAULT_BACKOFF } from '@accepted/shared/core/job/backoff';
import type { JobTypeDefaults } from '@accepted/shared/core/job/job-type';
import { parseExactly } from '@accepted/shared/core/json/exact-numbers';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { keyOfType } from './inspect-payload.ts';
import type { JobRequest } from './job-request.ts';
import { resolvePointer } from './json-pointer.ts';
import { findRequestFaults, resolveJob } from './resolve-job.ts';

const NOW = new Date('2026-01-01T00:00:00Z');
const DEFAULTS: JobTypeDefaults = { maxAttempts: 4, backoff: DEFAULT_BACKOFF, timeoutMs: 1_000 };
const SUBMISSION = { id: 'j', tenantId: 't' };

function resolve(request: Partial<JobRequest>, defaults: Partial<JobTypeDefaults> = {}) {
  const jobType = { type: 'report.render', queue: 'reports', defaults: { ...DEFAULTS, ...defaults } };
  const asked: JobRequest = { type: 'report.render', payload: {}, ...request };
  const concurrencyKey = keyOfType(asked.payload, jobType.type, jobType.defaults.concurrency);
  const payload = {
    json: JSON.stringify(asked.payload),
    refusedBy: [],
    ...(concurrencyKey !== undefined && { concurrencyKey }),
  };
  return resolveJob(asked, jobType, { ...SUBMISSION, payload });
}

test('what the request leaves out comes from the type', () => {
  expect(resolve({ payload: { a: 1 } })).toEqual({
    ...SUBMISSION,
    type: 'report.render',
    queue: 'reports',
    priority: 2,
    payloadJson: '{"a":1}',
    refusedBy: [],
    maxAttempts: 4,
    backoff: DEFAULT_BACKOFF,
    timeoutMs: 1_000,
    tags: [],
    metadata: {},
  });
});

test('what the request gives wins', () => {
  const webhook = { url: 'https://a.example' };
  expect(
    resolve({
      queue: 'q',
      priority: 'critical',
      runAt: '2026-02-01T00:00:00Z',
      ttlMs: 5,
      timeoutMs: 6,
      webhook,
    }),
  ).toMatchObject({
    queue: 'q',
    priority: 0,
    runAt: new Date('2026-02-01T00:00:00Z'),
    ttlMs: 5,
    timeoutMs: 6,
    webhook: { url: webhook.url, events: ['job.succeeded', 'job.failed', 'job.canceled', 'job.expired'] },
  });
});

test('a backoff that is given in part is filled in', () => {
  expect(resolve({ retry: { backoff: { type: 'exponential', delayMs: 5 } } }).backoff).toEqual({
    ...DEFAULT_BACKOFF,
    delayMs: 5,
  });
  expect(resolve({ retry: { backoff: { type: 'fixed', delayMs: 5, jitter: 'none' } } }).backoff).toEqual({
    type: 'fixed',
    delayMs: 5,
    jitter: 'none',
  });
  expect(resolve({ retry: { maxAttempts: 1 } })).toMatchObject({ maxAttempts: 1, backoff: DEFAULT_BACKOFF });
});

describe('concurrency', () => {
  test('a value of the payload that is too long for a key is told apart by its hash', () => {
    const keyOf = (id: string) =>
      resolve({ payload: { id } }, { concurrency: { limit: 1, keyPointer: '/id' } }).concurrencyKey;
    const [long, other] = [keyOf('x'.repeat(1_000_000)), keyOf(`${'x'.repeat(999_999)}y`)];
    expect(long).toMatch(/^[\w.]+:sha256:[\w-]{43}$/);
    expect(other).not.toBe(long);
  });

  test('a key is at most as long as one of a request, its type included', () => {
    const keyOf = (id: string) =>
      resolve({ payload: { id } }, { concurrency: { limit: 1, keyPointer: '/id' } }).concurrencyKey ?? '';
    const longest = 255 - 'report.render:'.length;
    expect(keyOf('x'.repeat(longest))).toBe(`report.render:${'x'.repeat(longest)}`);
    for (const length of [longest + 1, 255, 256]) {
      expect(keyOf('x'.repeat(length))).toMatch(/^report\.render:sha256:[\w-]{43}$/);
      expect(keyOf('x'.repeat(length))).not.toBe(keyOf(`${'x'.repeat(length - 1)}y`));
    }
  });

  const byAccount = { concurrency: { limit: 3, keyPointer: '/account/id' } };

  test.each([
    ['no limit, no key', {}, {}, undefined, undefined],
    ['a key of the request means one at a time', { concurrencyKey: 'k' }, {}, 'k', 1],
    [
      'where the type makes none, the key of the request has its limit',
      { concurrencyKey: 'k' },
      byAccount,
      'k',
      3,
    ],
    [
      'a key of the request does not take the place of one from the payload',
      { concurrencyKey: 'k', payload: { account: { id: 7 } } },
      byAccount,
      'report.render:7',
      3,
    ],
    [
      'nor of a limit for the whole type',
      { concurrencyKey: 'k' },
      { concurrency: { limit: 1 } },
      'report.render',
      1,
    ],
    ['a key from the payload', { payload: { account: { id: 7 } } }, byAccount, 'report.render:7', 3],
    ['a text from the payload', { payload: { account: { id: 'x' } } }, byAccount, 'report.render:x', 3],
    ['nothing there', { payload: { account: {} } }, byAccount, undefined, undefined],
    ['null there', { payload: { account: { id: null } } }, byAccount, undefined, undefined],
    ['a limit for the whole type', {}, { concurrency: { limit: 2 } }, 'report.render', 2],
  ])('%s', (_name, request, defaults, concurrencyKey, concurrencyLimit) => {
    const job = resolve(request, defaults);
    expect([job.concurrencyKey, job.concurrencyLimit]).toEqual([concurrencyKey, concurrencyLimit]);
  });
});

test.each([
  ['3889108265204450030', ['38891082652044500300e-1', '3889108265204450030.0', '3.88910826520445003E18']],
  ['0.1000000000000000055', ['1000000000000000055e-19', '0.10000000000000000550']],
  ['[3889108265204450030]', ['[38891082652044500300e-1]']],
])('every spelling of %s makes one key', (key, spellings) => {
  const keys = [key, ...spellings].map((spelled) => {
    const payload = parseExactly(`{"id":${spelled}}`);
    return resolve({ payload }, { concurrency: { limit: 1, keyPointer: '/id' } }).concurrencyKey;
  });
  expect(new Set(keys)).toEqual(new Set([`report.render:${key}`]));
});

test('a time up to a minute ago is taken, one before that is not', () => {
  const faults = (secondsAgo: number) =>
    findRequestFaults(
      { type: 'x', payload: 1, runAt: new Date(NOW.getTime() - secondsAgo * 1_000).toISOString() },
      NOW,
    );
  expect(faults(60)).toEqual([]);
  expect(faults(61)).toMatchObject([{ pointer: '/runAt' }]);
});

test('no shape of a request makes the checks throw', () => {
  const field = fc.oneof(fc.jsonValue(), fc.string());
  fc.assert(
    fc.property(fc.record({ runAt: field, delayMs: field, webhook: field, metadata: field }), (request) => {
      expect(Array.isArray(findRequestFaults(request as unknown as JobRequest, NOW))).toBe(true);
    }),
  );
});

test.each([
  ['', { a: 1 }, { a: 1 }],
  ['/a/b', { a: { b: 2 } }, 2],
  ['/a/1', { a: [1, 2] }, 2],
  ['/a~1b/m~0n', { 'a/b': { 'm~n': 3 } }, 3],
  ['/toString', {}, undefined],
  ['/length', 'text', undefined],
  ['/a/b', { a: null }, undefined],
])('the pointer %s', (pointer, document, value) => {
  expect(resolvePointer(document, pointer)).toEqual(value);
});

test.each([
  [{ delayMs: 1_000, ttlMs: 1_001 }, []],
  [{ delayMs: 1_000, ttlMs: 1_000 }, ['/ttlMs']],
  [{ runAt: new Date(NOW.getTime() + 60_000).toISOString(), ttlMs: 59_000 }, ['/ttlMs']],
  [{ runAt: new Date(NOW.getTime() - 30_000).toISOString(), ttlMs: 1 }, []],
  [{ delayMs: 0, ttlMs: 1 }, []],
])('%j: what would expire before it may start is told', (request, pointers) => {
  const faults = findRequestFaults({ type: 'x', payload: 1, ...request }, NOW);
  expect(faults.map(({ pointer }) => pointer)).toEqual(pointers);
});
