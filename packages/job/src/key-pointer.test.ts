import { describe, expect, it } from 'vitest';
import { keyPointer } from './key-pointer.ts';

// biome-ignore lint/suspicious/noExplicitAny: a handler written in JavaScript may do anything with its payload
type Payload = any;

describe('keyPointer', () => {
  it.each<[string, (p: Payload) => unknown, string]>([
    ['a property', (p) => p.accountId, '/accountId'],
    ['a nested property', (p) => p.account.id, '/account/id'],
    ['an optional chain', (p) => p.account?.id, '/account/id'],
    ['a destructured property', ({ account: { id } }) => id, '/account/id'],
    ['an element of a list', (p) => p.items[0], '/items/0'],
    ['names that RFC 6901 escapes', (p) => p['a/b']['c~d'], '/a~1b/c~0d'],
  ])('points at %s', (_name, key, pointer) => {
    expect(keyPointer(key)).toBe(pointer);
  });

  it.each<[string, (p: Payload) => unknown]>([
    ['the payload itself', (p) => p],
    ['a constant', () => 'everyone'],
    ['a template', (p) => `account-${p.accountId}`],
    ['a default for nothing', (p) => p.accountId ?? 'nobody'],
    ['a default for the empty', (p) => p.accountId || 'nobody'],
    ['a second property for nothing', (p) => p.accountId ?? p.userId],
    ['a choice', (p) => (p.accountId ? p.accountId : p.userId)],
    ['a method call', (p) => p.accountId.toLowerCase()],
    ['a list', (p) => [p.accountId]],
    ['a question about a property', (p) => 'accountId' in p],
    ['a copy', (p) => ({ ...p })],
    ['a comparison of types', (p) => (typeof p.accountId === 'string' ? p.accountId : 'nobody')],
    [
      'a throw',
      () => {
        throw new Error('no');
      },
    ],
  ])('refuses %s, which a pointer cannot say', (_name, key) => {
    expect(() => keyPointer(key)).toThrow(/concurrency\.key must only read one property/);
  });
});
