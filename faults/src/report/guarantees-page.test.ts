import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { job, soundRun } from '../checker/testing/sound-run.ts';
import { writeRun } from '../checker/testing/write-run.ts';
import type { ControlReport } from '../control/control-report.ts';
import { writeGuarantees } from './guarantees-page.ts';
import { reportRun } from './report-run.ts';

const EMPTY_PAGE = '# Guarantees\n<!-- results -->\nnone\n<!-- /results -->\n';
const CONTROL: ControlReport = {
  run: { seed: 1, startedAt: 0, endedAt: 1, command: 'npm run faults -- --control', commit: 'def5678' },
  figures: { acknowledged: 9, lost: 4, forgotten: 0, wronglyFailed: 0, effectTwice: 0 },
  faultsByKind: {},
  notFired: [],
  traits: { kill9: 0, wipes: 0, zombies: 0 },
};

async function reportOf(run: ReturnType<typeof soundRun>): Promise<string> {
  const folder = await writeRun(run);
  await reportRun(folder);
  return folder;
}

/** A page and the folder of a control's run, beside the run that is given. */
async function prepare(redis: string) {
  const page = join(redis, 'page.md');
  const control = join(redis, 'control');
  await mkdir(control);
  await writeFile(page, EMPTY_PAGE);
  await writeFile(join(control, 'report.json'), JSON.stringify(CONTROL));
  return { page, control };
}

test('the page gets the table and the pictures of the runs', async () => {
  const memory = [1_000, 121_000].map((at) => ({ at, name: 'api-1', pid: 1, rssBytes: 2 ** 27 }));
  const redis = await reportOf(soundRun({ memory }));
  const { page, control } = await prepare(redis);
  await writeGuarantees(page, { redis, postgres: redis, soak: redis, control });

  expect(await readFile(page, 'utf8')).toContain('| **Lost jobs** | **0** | **0** | **0** | **4** |');
  const pictures = (await readdir(join(redis, 'guarantees'))).sort();
  expect(pictures).toEqual(['latency.svg', 'memory.svg', 'recovery.svg', 'throughput.svg']);
});

test('a run that is red is not put on the page', async () => {
  const redis = await reportOf(soundRun({ jobs: [job({ status: 'queued' })] }));
  const { page, control } = await prepare(redis);

  await expect(writeGuarantees(page, { redis, postgres: redis, soak: redis, control })).rejects.toThrow(
    'is not green',
  );
  expect(await readFile(page, 'utf8')).toBe(EMPTY_PAGE);
});
