import { existsSync, globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { expect, test } from 'vitest';
import { ROOT, readPage, tableAfter } from './pages.ts';

const page = readPage('docs/path-of-a-job.md');
const files = filesIn(page.text);

function filesIn(text: string): string[] {
  return [...text.matchAll(/`([\w./-]+\/[\w./-]+\.(?:ts|md|json))`/g)].map(([, file = '']) => file);
}

const read = (file: string) => readFileSync(join(ROOT, file), 'utf8');

test('every file on the path of a job exists', () => {
  expect(files.filter((file) => !existsSync(join(ROOT, file)))).toEqual([]);
  expect(files.length).toBeGreaterThan(15);
});

test('the path goes through all its stations, in order', () => {
  const stations = [
    'submit-job.ts',
    'accept-job.ts',
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

test('each file of a submission is imported by one that is named before it', () => {
  const [, submit = ''] = /^## 1\..*?\n([\s\S]*?)^## 2\./m.exec(page.text) ?? [];
  const named = filesIn(submit);
  const isImported = (file: string, by: string) =>
    new RegExp(`from '[^']*/${basename(file, '.ts')}(?:\\.ts)?'`).test(read(by));
  const strays = named.filter(
    (file, index) => index > 0 && !named.slice(0, index).some((by) => isImported(file, by)),
  );
  expect(strays).toEqual([]);
  expect(named.length).toBeGreaterThan(10);
});

const PLACES = ['apps/api/src', 'apps/worker/src', 'packages/shared/src'];

/** Answers in which place a file of the table is, and its folder there. */
function locate(name: string): { place: string; folder: string } {
  const place = PLACES.find((src) => existsSync(join(ROOT, src, `${name}.ts`)));
  if (place === undefined) throw new Error(`There is no ${name}.ts.`);
  return { place, folder: name.split('/')[0] ?? '' };
}

function climbs(from: string, to: string): boolean {
  const [left, entered] = [locate(from), locate(to)];
  if (left.folder === entered.folder) return false;
  const imported = new RegExp(`from '(?:(?:\\.\\./)+|@accepted/shared/)${left.folder}/`);
  const importing = globSync(`${entered.place}/${entered.folder}/**/*.ts`, { cwd: ROOT });
  return importing.some((file) => !file.endsWith('.test.ts') && imported.test(read(file)));
}

test('payload and id go through files that are there, and where the way climbs is said', () => {
  const walks = tableAfter(page, '## The payload and the id').flatMap((row) => row.at(-1)?.split('; ') ?? []);
  const wrong = walks.flatMap((walk) => {
    const steps = walk.split(' · ').map((step) => ({
      name: step.replace(/^↑ /, '').replaceAll('`', ''),
      isMarked: step.startsWith('↑'),
    }));
    return steps.filter(({ name, isMarked }, index) => {
      const before = steps[index - 1];
      return (before !== undefined && climbs(before.name, name)) !== isMarked;
    });
  });
  expect(wrong).toEqual([]);
  expect(walks.length).toBeGreaterThan(10);
});
