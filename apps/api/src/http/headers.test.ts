import { newUuid } from '@accepted/shared/core/job/id';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { matchesETag } from './conditional.ts';
import { decodeCursor, encodeCursor } from './cursor.ts';
import { parseIdempotencyKey } from './idempotency-key.ts';
import { appliedPreferences, parsePreferences } from './preferences.ts';
import { Problem } from './problem.ts';

/** Anything but a problem that is thrown fails the test. */
function orProblem<T>(parse: () => T): T | 'problem' {
  try {
    return parse();
  } catch (error) {
    if (error instanceof Problem) return 'problem';
    throw error;
  }
}

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

  test('whatever is sent is a key that can be stored and shown, or a problem', () => {
    const headers = fc.oneof(
      fc.string(),
      fc.string().map((text) => `"${text}`),
      fc.array(fc.string()),
    );
    fc.assert(
      fc.property(headers, (header) => {
        expect(orProblem(() => parseIdempotencyKey(header))).toMatch(/^[\x20-\x7e]{1,255}$/);
      }),
      { numRuns: 1_000 },
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
    ['wait=9999999999', { waitSeconds: 9_999_999_999 }],
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
    const headers = fc.oneof(fc.string(), fc.stringMatching(/^(wait|respond-async|[;,="\\ a-z0-9]){0,20}$/));
    fc.assert(
      fc.property(fc.oneof(headers, fc.array(headers)), (header) => {
        const { waitSeconds = 0, ...rest } = parsePreferences(header);
        expect(Number.isSafeInteger(waitSeconds) && waitSeconds >= 0).toBe(true);
        expect([{}, { respondAsync: true }]).toContainEqual(rest);
      }),
      { numRuns: 1_000 },
    );
  });
});

describe('cursor', () => {
  test('any UUID comes back', () => {
    fc.assert(
      fc.property(fc.uuid(), (id) => {
        expect(decodeCursor(encodeCursor(id))).toBe(id);
      }),
    );
  });

  test('no two texts are the same cursor, and whatever is not one is a problem', () => {
    const nearly = fc.stringMatching(/^AQ[A-Za-z0-9_-]{21}$/);
    fc.assert(
      fc.property(fc.oneof(nearly, fc.base64String(), fc.string()), (text) => {
        const uuid = orProblem(() => decodeCursor(text));
        if (uuid !== 'problem') expect(encodeCursor(uuid ?? '')).toBe(text);
      }),
      { numRuns: 1_000 },
    );
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
