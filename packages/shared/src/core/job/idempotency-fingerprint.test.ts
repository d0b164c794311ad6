import fc from 'fast-check';
import { expect, test } from 'vitest';
import { idempotencyFingerprint } from './idempotency-fingerprint.ts';

const ROUTE = 'POST /v1/jobs';

test('the order of keys does not matter', () => {
  const one = idempotencyFingerprint(ROUTE, { a: 1, b: { c: [1, 2], d: null } });
  expect(idempotencyFingerprint(ROUTE, { b: { d: null, c: [1, 2] }, a: 1.0 })).toEqual(one);
});

test('the order of a list, the type of a value and the route matter', () => {
  const prints = [
    idempotencyFingerprint(ROUTE, { a: [1, 2] }),
    idempotencyFingerprint(ROUTE, { a: [2, 1] }),
    idempotencyFingerprint(ROUTE, { a: ['1', 2] }),
    idempotencyFingerprint('POST /v1/batches', { a: [1, 2] }),
  ];
  expect(new Set(prints.map((print) => print.toString('hex'))).size).toBe(4);
});

test('any JSON value keeps its fingerprint when it is written and parsed again', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const again: unknown = JSON.parse(JSON.stringify(value));
      expect(idempotencyFingerprint(ROUTE, again)).toEqual(idempotencyFingerprint(ROUTE, value));
    }),
  );
});
