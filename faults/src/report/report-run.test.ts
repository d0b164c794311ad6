import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { soundRun } from '../checker/testing/sound-run.ts';
import { writeRun } from '../checker/testing/write-run.ts';
import { drawRecovery } from './plots/recovery.ts';
import { reportRun } from './report-run.ts';

test('a run is reported in its own folder: JSON, and pictures for light and dark pages', async () => {
  const folder = await writeRun(soundRun());
  const { report, table } = await reportRun(folder);

  expect(table).toContain('GREEN');
  expect(JSON.parse(await readFile(join(folder, 'report.json'), 'utf8'))).toEqual(report);
  const pictures = (await readdir(folder)).filter((name) => name.endsWith('.svg')).sort();
  expect(pictures).toEqual(['latency.svg', 'recovery.svg', 'throughput.svg']);
  for (const picture of pictures) {
    const svg = await readFile(join(folder, picture), 'utf8');
    expect(svg).toMatch(/^<svg xmlns="http:\/\/www.w3.org\/2000\/svg" viewBox="0 0 860 \d+" role="img"/);
    expect(svg).toContain('prefers-color-scheme: dark');
    expect(svg, picture).not.toMatch(/NaN|Infinity|undefined/);
  }
});

test('an empty run is drawn as well, and a run without a wipe has no picture of recoveries', async () => {
  const folder = await writeRun(
    soundRun({ acks: [], jobs: [], faults: [], wipes: [], effects: [], attempts: [] }),
  );
  await reportRun(folder);
  for (const picture of ['latency.svg', 'throughput.svg'])
    expect(await readFile(join(folder, picture), 'utf8')).not.toMatch(/NaN|Infinity|undefined/);
  expect(drawRecovery(soundRun({ wipes: [] }))).toBeUndefined();
});
