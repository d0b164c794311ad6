import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('../', import.meta.url));
const LONGEST_FILE = 300;

const PATTERN =
  '{apps,packages,migrations,examples,faults,attacks,fuzz,bench,scripts,tests}/**/*.{ts,js,mjs}';

const sources = globSync(PATTERN, { cwd: ROOT, exclude: ['**/node_modules/**'] }).map((file) => ({
  file,
  lines: readFileSync(`${ROOT}${file}`, 'utf8').split('\n'),
}));

/** The linter has the rule for functions. */
test('no source file is too long to be read in one go', () => {
  const lengths = sources.map(({ file, lines }) => ({ file, lines: lines.length - 1 }));

  expect(lengths.length).toBeGreaterThan(50);
  expect(lengths.filter(({ lines }) => lines > LONGEST_FILE)).toEqual([]);
});

test('what takes part in a transaction cannot be called without one', () => {
  const asks = (type: RegExp) =>
    sources.flatMap(({ file, lines }) =>
      lines.flatMap((line, at) => (type.test(line) ? `${file}:${at + 1}` : [])),
    );

  expect(asks(/\btx: Transaction<Ledger>/).length).toBeGreaterThan(50);
  expect(asks(/\btx\??: (Database|Kysely)\b/)).toEqual([]);
});
