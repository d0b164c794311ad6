import fc from 'fast-check';
import { fromUUID } from 'typeid-js';
import { expect, test } from 'vitest';
import { ID_PREFIXES, type IdKind, newUuid, parsePublicId, publicId } from './id.ts';

const kinds = Object.keys(ID_PREFIXES) as IdKind[];
const BASE32 = '0123456789abcdefghjkmnpqrstvwxyz';
const suffix = fc.string({ unit: fc.constantFrom(...BASE32), minLength: 26, maxLength: 26 });

test('any UUID of the ledger comes back from its public id, for its kind alone', () => {
  fc.assert(
    fc.property(fc.uuid(), fc.constantFrom(...kinds), fc.constantFrom(...kinds), (uuid, kind, other) => {
      const id = publicId(kind, uuid);
      expect(parsePublicId(kind, id)).toBe(uuid);
      if (other !== kind) expect(parsePublicId(other, id)).toBeUndefined();
    }),
  );
});

test('a public id is the TypeID of its UUID', () => {
  fc.assert(
    fc.property(fc.uuid(), fc.constantFrom(...kinds), (uuid, kind) => {
      expect(publicId(kind, uuid)).toBe(fromUUID(uuid, ID_PREFIXES[kind]));
    }),
  );
});

test('no two texts are the id of the same thing, and no text makes the parser throw', () => {
  const nearly = suffix.map((text) => `job_${text}`);
  const cased = nearly.map((text) => text.toUpperCase());
  const any = fc.string().map((text) => `job_${text}`);
  fc.assert(
    fc.property(fc.oneof(fc.string(), nearly, cased, any), (text) => {
      const uuid = parsePublicId('job', text);
      if (uuid !== undefined) expect(publicId('job', uuid)).toBe(text);
    }),
    { numRuns: 1_000 },
  );
});

test.each([
  ['an id that overflows a UUID', `job_8${'0'.repeat(25)}`],
  ['letters that base32 leaves out', `job_0${'l'.repeat(25)}`],
  ['a line break at the end', `${publicId('job', newUuid())}\n`],
  ['a bare UUID', newUuid()],
  ['U+0000', `${publicId('job', newUuid())}\u0000`],
])('%s is no id', (_name, text) => {
  expect(parsePublicId('job', text)).toBeUndefined();
});

test('ids sort in the order of their making', () => {
  const made = Array.from({ length: 1_000 }, () => publicId('job', newUuid()));
  expect([...made].sort()).toEqual(made);
});
