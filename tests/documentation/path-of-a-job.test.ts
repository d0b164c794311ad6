import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ROOT, readPage } from './pages.ts';

const page = readPage('docs/path-of-a-job.md');
const files = [...page.text.matchAll(/`([\w./-]+\/[\w./-]+\.(?:ts|md|json))`/g)].map(([, file = '']) => file);

test('every file on the path of a job exists', () => {
  expect(files.filter((file) => !existsSync(join(ROOT, file)))).toEqual([]);
  expect(files.length).toBeGreaterThan(15);
});

test('the path goes through all its stations, in order', () => {
  const stations = [
    'submit-job.ts',
    'insert-jobs.ts',
    'dispatcher.ts',
    'run-attempt.ts',
    'claim-jobs.ts',
    'decide-outcome.ts',
    'record-outcomes.ts',
  ];
  const positions = stations.map((station) => page.text.indexOf(`${station}\``));
  expect(positions).not.toContain(-1);
  expect(positions).toEqual([...positions].sort((a, b) => a - b));
});
