import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ROOT, readPages } from './pages.ts';

const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));

test('every npm script that a page tells to run exists', () => {
  const commands = readPages().flatMap(({ path, text }) =>
    [...text.matchAll(/\bnpm (?:run ([\w:-]+)|(start|test))/g)].map(([, run, short]) => [
      path,
      run ?? short ?? '',
    ]),
  );
  expect(commands.filter(([, script = '']) => !(script in scripts))).toEqual([]);
  expect(commands.length).toBeGreaterThan(5);
});
