import { percentile } from '../quiet/measure.ts';
import type { Measured } from '../verdict.ts';
import { judge } from '../verdict.ts';

const MIB = 2 ** 20;

/** Writes what was measured as a table in Markdown. */
export function resultsTable(all: readonly Measured[]): string {
  const rows = all.map((measured) => {
    const { name, alone, attacked, memory, got } = measured;
    const pair = (kind: 'requestMs' | 'jobMs', part: number) =>
      `${percentile(alone[kind], part).toFixed(0)} → ${percentile(attacked[kind], part).toFixed(0)}`;
    const mib = (bytes: number) => Math.round(bytes / MIB);
    return [
      `\`${name}\``,
      pair('requestMs', 0.5),
      pair('requestMs', 0.99),
      pair('jobMs', 0.5),
      pair('jobMs', 0.99),
      String(attacked.refused),
      `${mib(memory.before)} → ${mib(memory.most)} → ${mib(memory.after)}`,
      got,
      judge(measured).length === 0 ? 'holds' : '**broken**',
    ];
  });
  return [HEAD, RULE, ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

const HEAD = [
  'Attack',
  "B's requests, p50, ms",
  'p99',
  "B's jobs, p50, ms",
  'p99',
  'B refused',
  'Memory before → most → after, MiB',
  'What the attacker got',
  'Promise',
];
const RULE = ['---', '--:', '--:', '--:', '--:', '--:', '--:', '---', '---'];

/** Says in a line how one attack went, and beneath how the promise was broken. */
export function resultLines(measured: Measured): string {
  const faults = judge(measured);
  const p99 = (kind: 'requestMs' | 'jobMs') =>
    `${percentile(measured.alone[kind], 0.99).toFixed(0)} → ${percentile(measured.attacked[kind], 0.99).toFixed(0)} ms`;
  const line = `${faults.length === 0 ? 'holds ' : 'BROKEN'}  ${measured.name.padEnd(26)} B's requests p99 ${p99('requestMs')}, jobs p99 ${p99('jobMs')}; got ${measured.got}`;
  return [line, ...faults.map((fault) => `          ✗ ${fault}`)].join('\n');
}
