import { mkdir, mkdtemp, readdir, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ALL_CONTENDERS } from '../contenders/all-contenders.ts';
import { ALL_MEASURES } from '../measures/all-measures.ts';
import type { Sample } from '../measures/measure.ts';
import type { Part } from '../parts.ts';
import { writePerformance } from './performance-page.ts';
import { reportRun } from './report-run.ts';
import type { RunReport } from './run-report.ts';

const EMPTY_PAGE = '# Performance\n<!-- results -->\nnone\n<!-- /results -->\n';

const PART: Part = {
  name: 'growth',
  title: 'Growth',
  run: async () => undefined,
  render: async () => 'It does not grow.',
  renderText: async () => 'It does not grow.',
  targets: async () => [
    { name: 'growth', measured: { median: 1, min: 1, max: 1 }, bound: 2, wanted: 'at most', unit: '×' },
  ],
};

/** A run in which every contender was measured once a round, and the part was run. */
function completeRun(): Omit<RunReport, 'targets'> {
  const samples = ALL_MEASURES.flatMap((measure) =>
    ALL_CONTENDERS.filter((contender) => measure.appliesTo(contender)).flatMap(({ name }) =>
      [1, 2, 3].map(
        (round): Sample => ({
          measure: measure.name,
          contender: name,
          variant: { payloadBytes: 200 },
          round,
          figures: { [measure.mainFigure]: 100 * round },
        }),
      ),
    ),
  );
  const machine = {
    cpu: 'A processor',
    cores: 2,
    memoryGb: 8,
    system: 'Linux 6',
    syncMs: 1,
    versions: { Node: '24' },
  };
  const command = 'npm run bench -- --size standard';
  const times = { startedAt: 0, endedAt: 60_000 };
  return {
    size: 'standard',
    rounds: 3,
    commit: '5c0470c',
    command,
    machine,
    samples,
    parts: ['growth'],
    failures: [],
    ...times,
  };
}

/** A later run of nothing but the part, which found something else. */
const PART_RUN = { ...completeRun(), commit: '91cbead', samples: [] };
const growsLater = (folder: string) => folder.endsWith('again');
const PART_OF_EITHER: Part = {
  ...PART,
  render: async (folder) => (growsLater(folder) ? 'It grows.' : 'It does not grow.'),
  targets: async (folder) =>
    (await PART.targets(folder)).map((target) => ({
      ...target,
      measured: { ...target.measured, median: growsLater(folder) ? 3 : 1 },
    })),
};

async function publishAgain(again: Omit<RunReport, 'targets'>) {
  const root = await mkdtemp(join(tmpdir(), 'accepted-test-'));
  const page = join(root, 'performance.md');
  await writeFile(page, EMPTY_PAGE);
  const folders = [join(root, 'run'), join(root, 'again')] as const;
  for (const [index, run] of [completeRun(), again].entries()) {
    await mkdir(folders[index] ?? '');
    await reportRun(folders[index] ?? '', run, [PART_OF_EITHER]);
  }
  return { page, published: writePerformance(page, folders[0], [PART_OF_EITHER], [folders[1]]) };
}

async function publish(run: Omit<RunReport, 'targets'>) {
  const root = await mkdtemp(join(tmpdir(), 'accepted-test-'));
  const folder = join(root, 'run');
  await mkdir(folder);
  const page = join(root, 'performance.md');
  await writeFile(page, EMPTY_PAGE);
  const { text } = await reportRun(folder, run, [PART]);
  const published = writePerformance(page, folder, [PART]);
  return { page, text, published, pictures: join(root, 'performance') };
}

test('the page gets machine, command, targets, tables and plots of the run', async () => {
  const { page, published, pictures } = await publish(completeRun());
  await published;

  const text = await readFile(page, 'utf8');
  expect(text).toContain('A processor, 2 cores, 8 GB');
  expect(text).toContain('npm run bench -- --size standard');
  expect(text).toContain('| durable accept, to the limit | 1 × | ≥ 0.9 × | reached |');
  expect(text).toContain('| pg-boss, 200 B | 200 (100–300) |');
  expect(text).toContain('### Growth\n\nIt does not grow.');
  expect(text).toContain('| growth | 1 × | ≤ 2 × | reached |');
  expect((await readdir(pictures)).sort()).toEqual(ALL_MEASURES.map(({ name }) => `${name}.svg`).sort());
});

test.each([
  ['small', { size: 'small' as const }, 'It is a small run.'],
  ['with too few rounds', { rounds: 1 }, 'It has 1 rounds of 3.'],
  [
    'without one contender',
    { samples: completeRun().samples.filter((sample) => sample.contender !== 'pg-boss') },
    'It lacks rounds of accept of pg-boss.',
  ],
  ['without a part', { parts: [] }, 'It lacks growth.'],
  [
    'with a failure',
    { failures: [{ what: 'accept' as const, contender: 'limit' as const, message: 'it broke' }] },
    'accept of limit: it broke',
  ],
])('a run that is %s is not put on the page', async (_, change, reason) => {
  const { page, published } = await publish({ ...completeRun(), ...change });
  await expect(published).rejects.toThrow(reason);
  expect(await readFile(page, 'utf8')).toBe(EMPTY_PAGE);
});

test('a part that was measured again is shown as it was found then, and says when', async () => {
  const { page, published } = await publishAgain(PART_RUN);
  await published;

  const text = await readFile(page, 'utf8');
  expect(text).toMatch(/### Growth\n\nMeasured on .* at 91cbead: [\s\S]*It grows\./);
  expect(text).toContain('| growth | 3 × | ≤ 2 × |');
  expect(text).not.toContain('It does not grow.');
  expect(text).toContain('| pg-boss, 200 B | 200 (100–300) |');
});

test.each([
  ['small', { size: 'small' as const }, 'It is a small run.'],
  ['of measures alone', { parts: [] }, 'It has none of the parts.'],
])('a run that is %s is not put beside another', async (_, change, reason) => {
  const { page, published } = await publishAgain({ ...PART_RUN, ...change });
  await expect(published).rejects.toThrow(reason);
  expect(await readFile(page, 'utf8')).toBe(EMPTY_PAGE);
});
