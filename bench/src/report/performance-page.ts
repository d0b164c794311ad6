import { copyFile, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { replaceBetween } from '@accepted/faults/report/replace-between';
import { ALL_MEASURES } from '../measures/all-measures.ts';
import type { Part } from '../parts.ts';
import { renderMarkdown, tabulateTargets } from './render.ts';
import { type RunReport, whyIncomplete } from './run-report.ts';
import { summarize, tabulate } from './table.ts';

/**
 * Writes the results of the run in `folder` into the page, between its comments `results`, and its plots into the folder
 * `performance` beside it. Throws, and writes nothing, when the run lacks anything.
 */
export async function writePerformance(page: string, folder: string, parts: readonly Part[]): Promise<void> {
  const report: RunReport = JSON.parse(await readFile(join(folder, 'report.json'), 'utf8'));
  const reasons = whyIncomplete(report, parts);
  if (reasons.length > 0) throw new Error(`The run in ${folder} is not complete:\n${reasons.join('\n')}`);
  const written = replaceBetween(
    await readFile(page, 'utf8'),
    'results',
    await renderResults(report, folder, parts),
  );
  const pictures = join(dirname(page), 'performance');
  await rm(pictures, { recursive: true, force: true });
  await mkdir(pictures, { recursive: true });
  for (const file of await readdir(folder))
    if (file.endsWith('.svg')) await copyFile(join(folder, file), join(pictures, file));
  await writeFile(page, written);
}

/** Writes the block of results: machine, command, what was reached, then each measure and part. */
async function renderResults(report: RunReport, folder: string, parts: readonly Part[]): Promise<string> {
  const sections = [
    describeRun(report),
    `### What was to be reached\n\n${renderMarkdown(tabulateTargets(report.targets))}`,
  ];
  for (const measure of ALL_MEASURES) {
    const rows = summarize(report.samples, measure);
    sections.push(
      [
        `### ${measure.title}`,
        measure.explanation,
        `![${measure.title}](performance/${measure.name}.svg)`,
        renderMarkdown(tabulate(rows)),
      ].join('\n\n'),
    );
  }
  for (const part of parts) sections.push(`### ${part.title}\n\n${await part.render(folder)}`);
  return sections.join('\n\n');
}

function describeRun({ machine, commit, command, rounds, startedAt, endedAt }: RunReport): string {
  const versions = Object.entries(machine.versions).map(([name, version]) => `${name} ${version}`);
  const minutes = Math.round((endedAt - startedAt) / 60_000);
  return [
    `Measured on ${new Date(startedAt).toISOString().slice(0, 10)} at ${commit}: ${machine.cpu}, ${machine.cores} cores, ${machine.memoryGb} GB, ${machine.system}, ${machine.syncMs.toFixed(2)} ms for a write to reach the disk; ${versions.join(', ')}. ${rounds} rounds, ${minutes} minutes.`,
    '',
    '```sh',
    withoutPlaces(command),
    '```',
  ].join('\n');
}

/** Where somebody kept a run is of no use to others. */
function withoutPlaces(command: string): string {
  return command.replaceAll(/ --(folder|json) \S+/g, '');
}
