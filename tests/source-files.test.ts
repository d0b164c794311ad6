import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('../', import.meta.url));
const LONGEST_FILE = 300;

/** The linter has the rule for functions. */
test('no source file is too long to be read in one go', () => {
  const pattern =
    '{apps,packages,migrations,examples,faults,attacks,fuzz,bench,scripts,tests}/**/*.{ts,js,mjs}';
  const files = globSync(pattern, { cwd: ROOT, exclude: ['**/node_modules/**'] });
  const lengths = files.map((file) => ({
    file,
    lines: readFileSync(`${ROOT}${file}`, 'utf8').split('\n').length - 1,
  }));

  expect(lengths.length).toBeGreaterThan(50);
  expect(lengths.filter(({ lines }) => lines > LONGEST_FILE)).toEqual([]);
});
