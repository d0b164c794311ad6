import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ALL_MEASURES } from '../measures/all-measures.ts';
import type { Part } from '../parts.ts';
import { drawMeasure } from './plot.ts';
import { listReached } from './reach.ts';
import { renderText, tabulateTargets } from './render.ts';
import type { RunReport } from './run-report.ts';
import { summarize, tabulate } from './table.ts';

/**
 * Writes `report.json` and a plot a measure into the run's folder; answers the report and what to show on a terminal.
 */
export async function reportRun(
  folder: string,
  run: Omit<RunReport, 'targets'>,
  allParts: readonly Part[],
): Promise<{ report: RunReport; text: string }> {
  const parts = allParts.filter(({ name }) => run.parts.includes(name));
  const partTargets = await Promise.all(parts.map((part) => part.targets(folder)));
  const report: RunReport = { ...run, targets: [...listReached(run.samples), ...partTargets.flat()] };
  await writeFile(join(folder, 'report.json'), `${JSON.stringify(report, undefined, 2)}\n`);
  const sections: string[] = [];
  for (const measure of ALL_MEASURES) {
    const rows = summarize(run.samples, measure);
    if (rows.length === 0) continue;
    await writeFile(join(folder, `${measure.name}.svg`), drawMeasure(measure, rows));
    sections.push(`${measure.title}\n${renderText(tabulate(rows))}`);
  }
  for (const part of parts) sections.push(`${part.title}\n${await part.renderText(folder)}`);
  if (report.targets.length > 0)
    sections.push(`What was to be reached\n${renderText(tabulateTargets(report.targets))}`);
  for (const { what, contender, message } of run.failures)
    sections.push(`FAILED: ${[what, contender].filter(Boolean).join(' of ')}: ${message}`);
  return { report, text: `\n${sections.join('\n\n')}\n` };
}
