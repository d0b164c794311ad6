// Writes the results of standard runs into the guarantees page:
//   node faults/src/report/write-guarantees.ts --redis <folder> --postgres <folder> --control <folder>
// Each folder is one that a run has left behind. The pictures are those of the run on Redis.
import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { ControlReport } from '../control/control-report.ts';
import { replaceBetween } from './replace-between.ts';
import { renderResults } from './results-table.ts';
import type { RunReport } from './run-report.ts';

const DOCS = fileURLToPath(new URL('../../../docs/', import.meta.url));
const PICTURES = ['throughput.svg', 'latency.svg', 'recovery.svg'];

const options = {
  redis: { type: 'string' },
  postgres: { type: 'string' },
  control: { type: 'string' },
} as const;
const { redis, postgres, control } = parseArgs({ options }).values;
if (!redis || !postgres || !control) throw new Error('--redis, --postgres and --control each take a folder.');

const results = {
  redis: await readGreen(redis),
  postgres: await readGreen(postgres),
  control: await readReport<ControlReport>(control),
};
const page = join(DOCS, 'guarantees.md');
await writeFile(page, replaceBetween(await readFile(page, 'utf8'), 'results', renderResults(results)));
await mkdir(join(DOCS, 'guarantees'), { recursive: true });
for (const picture of PICTURES) await copyFile(join(redis, picture), join(DOCS, 'guarantees', picture));

async function readReport<Report>(folder: string): Promise<Report> {
  return JSON.parse(await readFile(join(folder, 'report.json'), 'utf8'));
}

/** A page of guarantees does not show a run that broke one. */
async function readGreen(folder: string): Promise<RunReport> {
  const report = await readReport<RunReport>(folder);
  if (!report.green) throw new Error(`The run in ${folder} is not green.`);
  return report;
}
