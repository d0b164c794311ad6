import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { ControlReport } from '../control/control-report.ts';
import { replaceBetween } from './replace-between.ts';
import { PICTURES, renderResults } from './results-table.ts';
import type { RunReport } from './run-report.ts';

/** The folders that runs have left behind. */
export interface RunFolders {
  redis: string;
  postgres: string;
  soak?: string;
  control: string;
}

/**
 * Writes the results of the runs into the page, between its comments `results`, and their pictures into the folder
 * `guarantees` beside it. Throws, and writes nothing, when one of our runs is not green.
 */
export async function writeGuarantees(page: string, folders: RunFolders): Promise<void> {
  const results = renderResults({
    redis: await readGreen(folders.redis),
    postgres: await readGreen(folders.postgres),
    ...(folders.soak !== undefined && { soak: await readGreen(folders.soak) }),
    control: await readReport<ControlReport>(folders.control),
  });
  const pictures = join(dirname(page), 'guarantees');
  await mkdir(pictures, { recursive: true });
  for (const { file, of } of PICTURES) {
    const folder = folders[of];
    if (folder !== undefined) await copyFile(join(folder, file), join(pictures, file));
  }
  await writeFile(page, replaceBetween(await readFile(page, 'utf8'), 'results', results));
}

/** A page of guarantees does not show a run that broke one. */
async function readGreen(folder: string): Promise<RunReport> {
  const report = await readReport<RunReport>(folder);
  if (!report.green) throw new Error(`The run in ${folder} is not green.`);
  return report;
}

async function readReport<Report>(folder: string): Promise<Report> {
  return JSON.parse(await readFile(join(folder, 'report.json'), 'utf8'));
}
