import fc from 'fast-check';
import { expect, test } from 'vitest';
import { publicId } from '../../core/job/id.ts';
import { generateApiKey, parseApiKey, secretMatches } from './api-keys.ts';

test('a generated key parses to its id and matches its hash alone', () => {
  const key = generateApiKey();
  const parsed = parseApiKey(key.text);
  expect(parsed?.id).toBe(key.id);
  expect(secretMatches(parsed?.secret ?? '', key.secretHash)).toBe(true);
  expect(secretMatches(parsed?.secret ?? '', generateApiKey().secretHash)).toBe(false);
  expect(secretMatches(parsed?.secret ?? '', Buffer.alloc(3))).toBe(false);
});

const { text } = generateApiKey();

test.each([
  ['nothing', ''],
  ['another prefix', text.replace('acc_', 'abc_')],
  ['a short secret', text.slice(0, -1)],
  ['a long secret', `${text}0`],
  ['an upper-case secret', `${text.slice(0, -1)}A`],
  ['an id that overflows a UUID', text.replace(/_[0-9a-z]/, '_z')],
  ['a line break at the end', `${text}\n`],
])('%s is no API key', (_name, value) => {
  expect(parseApiKey(value)).toBeUndefined();
});

test('no text makes the parser throw', () => {
  fc.assert(
    fc.property(fc.string(), (value) => {
      expect(parseApiKey(`acc_${value}`)).toBeUndefined();
    }),
  );
});

test('a text that has the form of a key is the only one for its id and secret', () => {
  const form = fc.stringMatching(/^acc_[0-9a-hjkmnp-tv-z]{26}_[0-9a-f]{64}$/);
  fc.assert(
    fc.property(form, (value) => {
      const parsed = parseApiKey(value);
      if (!parsed) return;
      expect(`acc_${publicId('apiKey', parsed.id).slice(4)}_${parsed.secret}`).toBe(value);
    }),
  );
});
