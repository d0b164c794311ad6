import { describe, expect, test } from 'vitest';
import { errorFingerprint } from './error-fingerprint.ts';

const fingerprint = (message: string, code = 'handler_error') =>
  errorFingerprint('a.job', {
    code,
    message,
    retryable: true,
    stack: `Error: ${message}\n    at run (/jobs/a.ts:3:7)`,
  });

describe('errorFingerprint', () => {
  test.each([
    ['numbers', 'row 7 of 19 after 12 ms', 'row 1234 of 5 after 3.25 ms'],
    ['UUIDs', 'no 0198aa0e-8d2f-7d5c-9a10-aaaaaaaaaaaa', 'no 0198aa0e-8d2f-7d5c-9a10-bbbbbbbbbbbb'],
    ['TypeIDs', 'no job_01m80wvdb2e8ya6wbnq3h6n3wy', 'no job_01m80wvd14etfbnycmvzp2r688'],
    ['hashes', 'no commit 1f44c0f8ab', 'no commit 3a6da3a0'],
    ['times', 'late at 2026-01-02T03:04:05.678Z', 'late at 2026-11-12T13:14:15Z'],
    [
      'IPv4 addresses and ports',
      'connect ECONNREFUSED 10.0.0.1:5432',
      'connect ECONNREFUSED 192.168.1.77:61003',
    ],
    ['IPv6 addresses', 'connect ECONNREFUSED 2606:4700::abcd:443', 'connect ECONNREFUSED ::1:8080'],
    ['IPv6 addresses in brackets', 'no [fe80::1]:80/x', 'no [2001:db8:a:b:c:d:e:f]:9000/x'],
    [
      'both kinds',
      'fetch failed: connect ECONNREFUSED ::1:1',
      'fetch failed: connect ECONNREFUSED 127.0.0.1:1',
    ],
    ['the order of reasons', 'no: a failed (E_A); b failed', 'no: b failed; a failed (E_A)'],
    [
      'the number of addresses',
      'fetch failed: connect ETIMEDOUT 10.0.0.1:1',
      'fetch failed: connect ETIMEDOUT 10.0.0.3:1; connect ETIMEDOUT 10.0.0.4:1; and 12 more',
    ],
  ])('is the same where only %s differ', (_name, one, other) => {
    expect(fingerprint(one)).toBe(fingerprint(other));
  });

  test.each([
    ['the reason', 'fetch failed: connect ECONNREFUSED ::1:1', 'fetch failed: connect ETIMEDOUT ::1:1'],
    ['the host', 'getaddrinfo ENOTFOUND a.example', 'getaddrinfo ENOTFOUND b.example'],
    ['a word', 'decade std::vector: face', 'decade std::vector: fade'],
  ])('is another one where %s differs', (_name, one, other) => {
    expect(fingerprint(one)).not.toBe(fingerprint(other));
  });

  test('is made in no time of a hostile message', () => {
    const startedAt = performance.now();
    for (const text of [':', 'a:', '0:', '[', '; ', 'a-', 'job_0', '1.']) fingerprint(text.repeat(2_000));
    expect(performance.now() - startedAt).toBeLessThan(1_000);
  });
});
