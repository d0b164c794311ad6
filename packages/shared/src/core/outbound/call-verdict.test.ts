import { expect, test } from 'vitest';
import { callVerdict } from './call-verdict.ts';

test.each([
  ['http_500', 'failed'],
  ['http_503', 'failed'],
  ['http_408', 'failed'],
  ['http_425', 'failed'],
  ['http_429', 'failed'],
  ['network_error', 'failed'],
  ['request_timeout', 'failed'],
  ['http_404', 'answered'],
  ['http_301', 'answered'],
  ['endpoint_gone', 'answered'],
  ['url_not_allowed', 'unknown'],
  ['payload_invalid', 'unknown'],
] as const)('a call that ended with %s %s', (code, verdict) => {
  expect(callVerdict({ kind: 'threw', error: { code, message: '', retryable: true } })).toBe(verdict);
});

test('one that returned was answered, one that took too long failed, one that was stopped says nothing', () => {
  expect(callVerdict({ kind: 'returned', resultJson: '1' })).toBe('answered');
  expect(callVerdict({ kind: 'timedOut', timeoutMs: 1 })).toBe('failed');
  expect(callVerdict({ kind: 'aborted', reason: 'shutdown' })).toBe('unknown');
});
