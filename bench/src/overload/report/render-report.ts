import { renderText, tabulateTargets } from '../../report/render.ts';
import type { OverloadReport, ReportedPart } from './overload-report.ts';

/** Writes a report for a terminal: of each part its figures, and what was to be reached. */
export function renderReport({ parts, failures }: OverloadReport): string {
  const failed = failures.map(({ part, message }) => `FAILED: ${part}: ${message}`);
  return [...parts.map(renderPart), ...failed].join('\n\n');
}

function renderPart({ name, title, tables, goals, notes = [] }: ReportedPart): string {
  const sections = [
    `${name}: ${title}`,
    ...tables.map((shown) => `${shown.title}\n${renderText(shown.table)}`),
    ...(goals.length > 0 ? [renderText(tabulateTargets(goals))] : []),
    ...notes,
  ];
  return sections.join('\n\n');
}
