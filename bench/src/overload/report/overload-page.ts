import { copyFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { replaceBetween } from '@accepted/faults/report/replace-between';
import { describeRun } from '../../report/describe-run.ts';
import { renderMarkdown, tabulateTargets } from '../../report/render.ts';
import type { PartName } from '../part.ts';
import type { OverloadReport, ReportedPart } from './overload-report.ts';

interface Run {
  folder: string;
  report: OverloadReport;
}

interface Shown {
  part: ReportedPart;
  of: Run;
}

/**
 * Writes the results of the run in `folder` into the page, between its comments `results`, and its plots into the folder
 * `overload` beside it. Parts that the runs in `againFolders` made are shown as these found them, and each says so. Throws,
 * and writes nothing, when a run lacks any of `names`, or is none that is to be published.
 */
export async function writeOverload(
  page: string,
  folder: string,
  names: readonly PartName[],
  againFolders: readonly string[] = [],
): Promise<void> {
  const run = await readRun(folder);
  const again = await Promise.all(againFolders.map(readRun));
  for (const one of [run, ...again]) refuse(one, whyUnfit(one.report));
  const shown = names.flatMap((name) => findPart(name, [...again.toReversed(), run]));
  const missing = names.filter((name) => !shown.some(({ part }) => part.name === name));
  refuse(
    run,
    missing.map((name) => `It lacks ${name}.`),
  );
  const written = replaceBetween(await readFile(page, 'utf8'), 'results', renderResults(run, shown));
  const pictures = join(dirname(page), 'overload');
  await rm(pictures, { recursive: true, force: true });
  await mkdir(pictures, { recursive: true });
  for (const { part, of } of shown)
    for (const { file } of part.plots) await copyFile(join(of.folder, file), join(pictures, file));
  await writeFile(page, written);
}

async function readRun(folder: string): Promise<Run> {
  return { folder, report: JSON.parse(await readFile(join(folder, 'overload.json'), 'utf8')) };
}

function refuse({ folder }: Run, reasons: readonly string[]): void {
  if (reasons.length > 0) throw new Error(`The run in ${folder} is not complete:\n${reasons.join('\n')}`);
}

function whyUnfit({ size, command, failures }: OverloadReport): string[] {
  const reasons = failures.map(({ part, message }) => `${part}: ${message}`);
  if (size !== 'standard') reasons.push(`It is a ${size} run.`);
  if (/ --alone\b/.test(command)) reasons.push('It has nothing to compare with.');
  return reasons;
}

/** The first run that has it counts. */
function findPart(name: PartName, runs: readonly Run[]): Shown[] {
  return runs
    .flatMap((of) => of.report.parts.filter((part) => part.name === name).map((part) => ({ part, of })))
    .slice(0, 1);
}

function renderResults(run: Run, shown: readonly Shown[]): string {
  return [describeRun(run.report), ...shown.map((one) => renderPart(one, run))].join('\n\n');
}

function renderPart({ part, of }: Shown, run: Run): string {
  const { title, explanation, plots, goals, tables, notes = [] } = part;
  return [
    `### ${title}`,
    explanation,
    ...(of === run ? [] : [describeRun(of.report)]),
    ...plots.map((plot) => `![${plot.title}](overload/${plot.file})`),
    ...(goals.length > 0 ? [renderMarkdown(tabulateTargets(goals))] : []),
    ...tables.flatMap((shown) => [`#### ${shown.title}`, renderMarkdown(shown.table)]),
    ...notes,
  ].join('\n\n');
}
