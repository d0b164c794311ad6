import { newUuid } from '@accepted/shared/job/id';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { matchesETag } from './conditional.ts';
import { decodeCursor, encodeCursor } from './cursor.ts';
import { parseIdempotencyKey } from './idempotency-key.ts';
import { appliedPreferences, parsePreferences } from './preferences.ts';
import { Problem } from './problem.ts';

describe('Idempotency-Key', () => {
  test.each([
    ['abc', 'abc'],
    ['"abc"', 'abc'],
    ['  abc  ', 'abc'],
    ['"with \\"quotes\\" and \\\\"', 'with "quotes" and \\'],
    ['8e03978e-40d5-43e8-bc93-6894a57f9324', '8e03978e-40d5-43e8-bc93-6894a57f9324'],
    [undefined, undefined],
  ])('%s is the key %s', (header, key) => {
    expect(parseIdempotencyKey(header)).toBe(key);
  });

  test.each([[''], ['""'], ['"open'], ['"a" b'], ['ä'], ['a\tb'], ['x'.repeat(256)], [['a', 'b']]])(
    '%j is refused',
    (header) => {
      expect(() => parseIdempotencyKey(header)).toThrow(Problem);
    },
  );

  test('any printable text survives quoting', () => {
    const printable = fc.stringMatching(/^[\x20-\x7e]{1,255}$/);
    fc.assert(
      fc.property(printable, (text) => {
        expect(parseIdempotencyKey(`"${text.replace(/["\\]/g, '\\$&')}"`)).toBe(text);
      }),
    );
  });
});

describe('Prefer', () => {
  test.each([
    [undefined, {}],
    ['wait=10', { waitSeconds: 10 }],
    ['respond-async, wait=10', { respondAsync: true, waitSeconds: 10 }],
    ['Wait = "7"; foo', { waitSeconds: 7 }],
    ['wait=1, wait=2', { waitSeconds: 1 }],
    ['return=minimal', {}],
    ['wait=-1', {}],
    ['wait=1.5', {}],
    ['wait', {}],
    ['wait=9999999999', {}],
    ['constructor, __proto__=1', {}],
  ])('%s', (header, preferences) => {
    expect(parsePreferences(header)).toEqual(preferences);
  });

  test('what was applied is said', () => {
    expect(appliedPreferences({}, undefined)).toBeUndefined();
    expect(appliedPreferences({ waitSeconds: 99 }, 30)).toBe('wait=30');
    expect(appliedPreferences({ waitSeconds: 1, respondAsync: true }, 1)).toBe('respond-async, wait=1');
  });

  test('no header makes the parser throw', () => {
    fc.assert(fc.property(fc.string(), (header) => typeof parsePreferences(header) === 'object'));
  });
});

describe('cursor', () => {
  test('a UUID comes back', () => {
    const id = newUuid();
    expect(decodeCursor(encodeCursor(id))).toBe(id);
  });

  test('anything else is refused', () => {
    const good = encodeCursor(newUuid());
    for (const bad of ['', 'x', `${good}A`, good.slice(1), `B${good.slice(1)}`, `${good}=`, newUuid()]) {
      expect(() => decodeCursor(bad)).toThrow(Problem);
    }
    fc.assert(
      fc.property(fc.string({ maxLength: 22 }), (text) => {
        expect(() => decodeCursor(text)).toThrow(Problem);
      }),
    );
  });
});

test.each([
  [undefined, false],
  ['"v3"', true],
  ['W/"v3"', true],
  ['"v2", "v3"', true],
  ['*', true],
  ['"v2"', false],
  ['v3', false],
])('If-None-Match %s', (header, matches) => {
  expect(matchesETag(header, '"v3"')).toBe(matches);
});
