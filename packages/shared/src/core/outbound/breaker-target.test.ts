import { expect, test } from 'vitest';
import { breakerTargetOf } from './breaker-target.ts';

const call = (type: string, url: unknown, tenantId = 'one') =>
  breakerTargetOf({ tenantId, type, payload: { url } });

test('requests are told apart by origin, deliveries by endpoint', () => {
  expect(call('http.request', 'https://user@Example.com:443/a?b#c')?.target).toBe('https://example.com');
  expect(call('webhook.deliver', 'https://example.com/hook?key=1')?.target).toBe('https://example.com/hook');
  const [one, same, other] = ['/a', '/a?b', '/b'].map(
    (path) => call('webhook.deliver', `http://x${path}`)?.id,
  );
  expect(same).toBe(one);
  expect(other).not.toBe(one);
});

test('tenants and types share none', () => {
  const ids = [
    call('http.request', 'http://x', 'one'),
    call('http.request', 'http://x', 'other'),
    call('webhook.deliver', 'http://x', 'one'),
  ].map((target) => target?.id);
  expect(new Set(ids).size).toBe(3);
});

test.each([
  ['test.echo', 'http://x'],
  ['toString', 'http://x'],
  ['http.request', 'no url'],
  ['http.request', 1],
])('%s of %j calls nothing', (type, url) => {
  expect(call(type, url)).toBeUndefined();
});

test.each([null, 1, 'text', []])('a payload that is %j calls nothing', (payload) => {
  expect(breakerTargetOf({ tenantId: 'one', type: 'http.request', payload })).toBeUndefined();
});
