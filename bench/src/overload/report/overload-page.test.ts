import { mkdir, mkdtemp, readdir, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { PartName } from '../part.ts';
import { atLeast, atMost } from './goals.ts';
import { writeOverload } from './overload-page.ts';
import type { OverloadReport, ReportedPart } from './overload-report.ts';

const NAMES: PartName[] = ['workers', 'hog'];

function part(name: PartName, more: Partial<ReportedPart> = {}): ReportedPart {
  return {
    ...{ name, title: `Part ${name}`, explanation: 'What is done.', tables: [], figures: {}, goals: [] },
    plots: [{ title: `Picture of ${name}`, file: `${name}.svg` }],
    ...more,
  };
}

function report(parts: ReportedPart[], more: Partial<OverloadReport> = {}): OverloadReport {
  const machine = {
    ...{ cpu: 'A processor', cores: 2, memoryGb: 8, system: 'Linux 6', syncMs: 1 },
    versions: { Node: '24' },
  };
  const command = 'npm run overload -- --size standard --folder run';
  const times = { startedAt: 0, endedAt: 60_000 };
  return { size: 'standard', commit: '5c0470c', command, ...times, machine, failures: [], parts, ...more };
}

const COMPLETE = [
  part('workers', { goals: [atLeast('done', 0.9, 0.95, '×'), atMost('refused', 0, 0, 'jobs')] }),
  part('hog', { notes: ['Something to know.'] }),
];

async function publish(run: OverloadReport, again?: OverloadReport) {
  const root = await mkdtemp(join(tmpdir(), 'accepted-test-'));
  const page = join(root, 'overload.md');
  await writeFile(page, '# Overload\n<!-- results -->\nnone\n<!-- /results -->\nThe end.\n');
  const folders: string[] = [];
  for (const [place, one] of [run, ...(again ? [again] : [])].entries()) {
    const folder = join(root, `run-${place}`);
    await mkdir(folder);
    await writeFile(join(folder, 'overload.json'), JSON.stringify(one));
    for (const { name } of one.parts)
      await writeFile(join(folder, `${name}.svg`), `<svg>${one.commit}</svg>`);
    folders.push(folder);
  }
  const [from = '', ...others] = folders;
  const read = () => readFile(page, 'utf8');
  const written = writeOverload(page, from, NAMES, others);
  return { written, read, pictures: join(root, 'overload') };
}

test('a page has what was measured, on what, and which goals were reached', async () => {
  const { written, read, pictures } = await publish(report(COMPLETE));
  await written;
  const page = await read();
  expect(page).toContain('at 5c0470c: A processor, 2 cores');
  expect(page).toContain('npm run overload -- --size standard\n');
  expect(page).toContain('| done | 0.9 × | ≥ 0.95 × | short by 0.05 × |');
  expect(page).toContain('| refused | 0 jobs | ≤ 0 jobs | reached |');
  expect(page).toContain('![Picture of hog](overload/hog.svg)');
  expect(page).toContain('Something to know.');
  expect(page).toMatch(/^# Overload[\s\S]*The end\.\n$/);
  expect((await readdir(pictures)).toSorted()).toEqual(['hog.svg', 'workers.svg']);
});

test('a part that was measured again is shown as it was then, and says so', async () => {
  const { written, read, pictures } = await publish(
    report(COMPLETE),
    report([part('hog')], { commit: '91cbead' }),
  );
  await written;
  expect(await read()).toMatch(/### Part hog[\s\S]*at 91cbead/);
  expect(await readFile(join(pictures, 'hog.svg'), 'utf8')).toBe('<svg>91cbead</svg>');
  expect(await readFile(join(pictures, 'workers.svg'), 'utf8')).toBe('<svg>5c0470c</svg>');
});

test.each([
  ['is small', report(COMPLETE, { size: 'small' }), 'It is a small run.'],
  ['lacks a part', report(COMPLETE.slice(1)), 'It lacks workers.'],
  ['has one that failed', report(COMPLETE, { failures: [{ part: 'hog', message: 'no' }] }), 'hog: no'],
  [
    'was made alone',
    report(COMPLETE, { command: 'npm run overload -- --alone' }),
    'It has nothing to compare with.',
  ],
])('a run that %s is not published', async (_, run, reason) => {
  const { written, read } = await publish(run);
  await expect(written).rejects.toThrow(reason);
  expect(await read()).toContain('none');
});
