import { copyFile, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { replaceBetween } from '@accepted/faults/report/replace-between';
import { ALL_MEASURES } from '../measures/all-measures.ts';
import type { Part } from '../parts.ts';
import { describeRun } from './describe-run.ts';
import { listReached } from './reach.ts';
import { renderMarkdown, tabulateTargets } from './render.ts';
import { type RunReport, whyIncomplete, whyNoParts } from './run-report.ts';
import { summarize, tabulate } from './table.ts';

/**
 * Writes the results of the run in `folder` into the page, between its comments `results`, and its plots into the folder
 * `performance` beside it. Parts that the runs in `againFolders` made are shown as these found them, and each says so. Throws,
 * and writes nothing, when a run lacks anything.
 */
export async function writePerformance(
  page: string,
  folder: string,
  parts: readonly Part[],
  againFolders: readonly string[] = [],
): Promise<void> {
  const run = await readRun(folder);
  const again = await Promise.all(againFolders.map(readRun));
  refuse(run, whyIncomplete(run.report, parts));
  for (const other of again) refuse(other, whyNoParts(other.report));
  const shown = parts.map((part) => ({
    part,
    of: again.findLast(({ report }) => report.parts.includes(part.name)) ?? run,
  }));
  const written = replaceBetween(await readFile(page, 'utf8'), 'results', await renderResults(run, shown));
  const pictures = join(dirname(page), 'performance');
  await rm(pictures, { recursive: true, force: true });
  await mkdir(pictures, { recursive: true });
  for (const { folder } of [run, ...again])
    for (const file of await readdir(folder))
      if (file.endsWith('.svg')) await copyFile(join(folder, file), join(pictures, file));
  await writeFile(page, written);
}

interface Run {
  folder: string;
  report: RunReport;
}

/** A part, and the run that measured it. */
interface ShownPart {
  part: Part;
  of: Run;
}

async function readRun(folder: string): Promise<Run> {
  return { folder, report: JSON.parse(await readFile(join(folder, 'report.json'), 'utf8')) };
}

function refuse({ folder }: Run, reasons: string[]): void {
  if (reasons.length > 0) throw new Error(`The run in ${folder} is not complete:\n${reasons.join('\n')}`);
}

/** Writes the block of results: machine, command, what was reached, then each measure and part. */
async function renderResults(run: Run, parts: ShownPart[]): Promise<string> {
  const { report } = run;
  const partTargets = await Promise.all(parts.map(({ part, of }) => part.targets(of.folder)));
  const targets = [...listReached(report.samples), ...partTargets.flat()];
  const sections = [
    describe(report),
    `### What was to be reached\n\n${renderMarkdown(tabulateTargets(targets))}`,
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
  for (const { part, of } of parts) {
    const when = of === run ? [] : [describe(of.report)];
    sections.push([`### ${part.title}`, ...when, await part.render(of.folder)].join('\n\n'));
  }
  return sections.join('\n\n');
}

function describe(report: RunReport): string {
  const { rounds, samples } = report;
  return describeRun(report, samples.length > 0 ? [`${rounds} rounds`] : []);
}
