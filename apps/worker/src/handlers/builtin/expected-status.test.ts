import { expect, test } from 'vitest';
import { expectedStatus, isExpected } from './expected-status.ts';

test.each<[unknown, number, boolean]>([
  [200, 200, true],
  [200, 201, false],
  ['2xx', 204, true],
  ['2xx', 302, false],
  ['3xx', 302, true],
  [[201, '4xx'], 404, true],
  [[201, '4xx'], 200, false],
  [503, 503, true],
])('with %j a reply of %d is a success: %s', (expected, status, isSuccess) => {
  expect(isExpected(status, expectedStatus.parse(expected))).toBe(isSuccess);
});

test.each([[100], [600], ['1xx'], ['200'], [[]], [200.5]])('%j names no status', (expected) => {
  expect(expectedStatus.safeParse(expected).success).toBe(false);
});
