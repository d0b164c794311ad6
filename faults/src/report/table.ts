import type { ReportedVerdict, RunReport } from './run-report.ts';
import { writeDuration, writeFigure, writeNumber } from './wording.ts';

const SHOWN_VIOLATIONS = 10;
const WIDTH = 110;

/** Writes the report for a terminal: a line an invariant, its figures below, and what was violated. */
export function renderTable(report: RunReport): string {
  const { run } = report;
  const took = writeDuration(run.endedAt - run.startedAt);
  return [
    '',
    `Fault run: ${run.engine} engine, ${run.size}, seed ${run.seed}, commit ${run.commit}${run.servers ? `, ${run.servers}` : ''}, ${took}`,
    rule('═'),
    ...report.verdicts.flatMap(describe),
    rule('─'),
    ...wrap(`Faults: ${faultCounts(report)}`),
    ...run.notRun.map(({ kind, reason }) => `Not run: ${kind}: ${reason}`),
    rule('═'),
    report.green ? 'GREEN: every invariant held.' : 'RED: the invariants above were violated.',
    '',
  ].join('\n');
}

function describe({ id, holds, figures, violationCount, violations }: ReportedVerdict): string[] {
  const title = `${id.padEnd(7)}${holds}`;
  const end = violationCount === 0 ? 'ok' : `${writeNumber(violationCount)} VIOLATED`;
  const named = Object.entries(figures).map(([name, value]) => writeFigure(name, value));
  const shown = violations.slice(0, SHOWN_VIOLATIONS);
  const more = violationCount - shown.length;
  return [
    `${title} ${end.padStart(WIDTH - title.length - 1)}`,
    ...wrap(named.join(' · '), ' '.repeat(7)),
    ...shown.map((violation) => `     ✗ ${violation}`),
    ...(more > 0 ? [`     ✗ … and ${writeNumber(more)} more`] : []),
  ];
}

function faultCounts({ faultsByKind }: RunReport): string {
  const counts = Object.entries(faultsByKind).sort(([, a], [, b]) => b - a);
  return counts.map(([kind, count]) => `${kind} ${count}`).join(' · ') || 'none';
}

function rule(character: string): string {
  return character.repeat(WIDTH);
}

/** Breaks a line between its parts, so that no figure is torn from its name. */
function wrap(text: string, indent = ''): string[] {
  const lines: string[] = [];
  for (const part of text.split(' · ')) {
    const line = lines.at(-1);
    if (line !== undefined && `${line} · ${part}`.length <= WIDTH)
      lines[lines.length - 1] = `${line} · ${part}`;
    else lines.push(`${indent}${part}`);
  }
  return lines;
}
