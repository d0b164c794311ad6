import { readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { judgeSchema, SCHEMA_VERSION } from './schema-version.ts';

const NEEDED = { major: 2, minor: 12 };

test.each([
  ['the same version', { major: 2, minor: 12 }, undefined],
  ['a newer minor version', { major: 2, minor: 40 }, undefined],
  ['an older minor version', { major: 2, minor: 11 }, 'behind'],
  ['an older major version, however high its minor one', { major: 1, minor: 99 }, 'behind'],
  ['no version', undefined, 'behind'],
  ['a newer major version', { major: 3, minor: 13 }, 'ahead'],
])('a ledger with %s is judged', (_, found, kind) => {
  expect(judgeSchema(found, NEEDED)?.kind).toBe(kind);
});

test('what to do is said in one sentence, with both versions', () => {
  expect(judgeSchema({ major: 2, minor: 11 }, NEEDED)?.message).toBe(
    'The schema of the ledger is 2.11, and this version of Accepted needs 2.12: run `npm run migrate`.',
  );
  expect(judgeSchema(undefined, NEEDED)?.message).toContain('is missing or older');
  expect(judgeSchema({ major: 3, minor: 1 }, NEEDED)?.message).toContain('a newer version of Accepted');
});

test('the code needs the newest migration that comes with it', () => {
  const numbers = readdirSync(new URL('../../../../../migrations', import.meta.url))
    .map((file) => Number.parseInt(file, 10))
    .filter((number) => !Number.isNaN(number));
  expect(SCHEMA_VERSION.minor).toBe(Math.max(...numbers));
});
