import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createSecretBox, generateSecretKey, parseSecretKeys, SecretBoxError } from './secret-box.ts';

const newKey = () => parseSecretKeys(generateSecretKey()) ?? [];
const [first, second] = [newKey(), newKey()];
const box = createSecretBox(first);

describe('a secret box', () => {
  test('opens whatever it sealed, in the same place', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.string(), (text, context) => {
        expect(box.open(box.seal(text, context), context)).toBe(text);
      }),
    );
  });

  test('seals the same text differently each time, and shows nothing of it', () => {
    const sealed = box.seal('whsec_canary', 'a');

    expect(box.seal('whsec_canary', 'a')).not.toBe(sealed);
    expect(sealed + Buffer.from(sealed.split('.')[3] ?? '', 'base64url').toString('latin1')).not.toContain(
      'canary',
    );
  });

  test('opens nothing that was changed by as much as a bit', () => {
    const sealed = box.seal('secret', 'a');
    const [, , , body = ''] = sealed.split('.');
    const bytes = Buffer.from(body, 'base64url');
    fc.assert(
      fc.property(fc.nat(bytes.length * 8 - 1), (bit) => {
        const changed = Buffer.from(bytes);
        changed.writeUInt8(changed.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
        const text = sealed.replace(body, changed.toString('base64url'));
        expect(() => box.open(text, 'a')).toThrow('was changed');
      }),
    );
  });

  test('opens nothing in another row', () => {
    expect(() => box.open(box.seal('secret', 'tenant a'), 'tenant b')).toThrow('moved to another row');
  });

  test('never answers or throws anything else, whatever it is given', () => {
    const nearly = fc.stringMatching(/^sealed\.v1\.[0-9a-f]{8}\.[A-Za-z0-9_-]{0,60}$/);
    const keyIdOfBox = box.seal('', '').split('.')[2];
    const withOurKey = nearly.map((text) => text.replace(/[0-9a-f]{8}/, String(keyIdOfBox)));
    fc.assert(
      fc.property(fc.oneof(fc.string(), nearly, withOurKey), (text) => {
        expect(() => box.open(text, 'a')).toThrow(SecretBoxError);
      }),
    );
  });
});

describe('rotation', () => {
  const sealed = box.seal('secret', 'a');

  test('the old key opens until it is taken away; then the message names it, and not the key itself', () => {
    const rotated = createSecretBox([...second, ...first]);
    expect(rotated.open(sealed, 'a')).toBe('secret');
    expect(rotated.open(rotated.seal('secret', 'a'), 'a')).toBe('secret');
    expect([rotated.isCurrent(sealed), rotated.isCurrent(rotated.seal('', 'a'))]).toEqual([false, true]);

    const id = sealed.split('.')[2];
    expect(() => createSecretBox(second).open(sealed, 'a')).toThrow(
      `A secret of the ledger is sealed with the key ${id}, which SECRETS_KEY does not have: add the key that was used before.`,
    );
  });

  test('a text in the clear is not current', () => {
    expect(box.isCurrent('whsec_abc')).toBe(false);
    expect(() => box.open('whsec_abc', 'a')).toThrow('not sealed');
  });
});

describe('keys', () => {
  const [a, b] = [generateSecretKey(), generateSecretKey()];

  test('several are read in order', () => {
    expect(parseSecretKeys(`${a}, ${b}`)?.map((key) => key.toString('base64'))).toEqual([a, b]);
  });

  test.each(['', 'hunter2', a.slice(1), `${a},`, `${a}${b}`, a.replace(/=$/, ''), 'ff'.repeat(32)])(
    '%j is none',
    (text) => {
      expect(parseSecretKeys(text)).toBeUndefined();
    },
  );

  test('a box without a key is refused', () => {
    expect(() => createSecretBox([])).toThrow(TypeError);
  });
});
