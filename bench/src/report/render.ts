import { type Table, writeFigure, writeSpread } from './table.ts';
import { isReached, type Target } from './target.ts';

/** Writes a table for a terminal. */
export function renderText({ header, rows }: Table): string {
  const lines = [header, ...rows];
  const widths = header.map((_, column) => Math.max(...lines.map((cells) => cells[column]?.length ?? 0)));
  return lines
    .map((cells) =>
      cells
        .map((cell, column) =>
          column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart((widths[column] ?? 0) + 3),
        )
        .join(''),
    )
    .join('\n');
}

/** Writes a table in Markdown, numbers to the right. */
export function renderMarkdown({ header, rows }: Table): string {
  const line = (cells: string[]) => `| ${cells.join(' | ')} |`;
  return [
    line(header),
    line(header.map((_, column) => (column === 0 ? '---' : '--:'))),
    ...rows.map(line),
  ].join('\n');
}

/** Sets what was measured beside what was to be reached. */
export function tabulateTargets(targets: readonly Target[]): Table {
  return {
    header: ['', 'measured', 'wanted', ''],
    rows: targets.map((target) => [
      target.name,
      withUnit(writeSpread(target.measured), target.unit),
      `${target.wanted === 'at least' ? '≥' : '≤'} ${withUnit(writeFigure(target.bound), target.unit)}`,
      isReached(target) ? 'reached' : shortBy(target),
    ]),
  };
}

function shortBy({ measured, bound, unit }: Target): string {
  return `short by ${withUnit(writeFigure(Math.abs(measured.median - bound)), unit)}`;
}

function withUnit(value: string, unit: string): string {
  return `${value} ${unit}`;
}
