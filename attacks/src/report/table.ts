import { type Latencies, percentile } from '../quiet/measure.ts';
import type { Measured } from '../verdict.ts';
import { judge } from '../verdict.ts';

const MIB = 2 ** 20;
const PARTS = [0.5, 0.95, 0.99];

/** Writes what was measured as a table in Markdown: the quiet tenant alone, then beside each attack. */
export function resultsTable(all: readonly Measured[]): string {
  const alone = all.slice(0, 1).map((measured) => ['alone', ...latencies(measured.alone), '', '', '', '']);
  const rows = all.map((measured) => {
    const { name, attacked, memory, got } = measured;
    const mib = (bytes: number) => Math.round(bytes / MIB);
    return [
      `\`${name}\``,
      ...latencies(attacked),
      String(attacked.refused),
      `${mib(memory.before)} → ${mib(memory.most)} → ${mib(memory.after)}`,
      got,
      judge(measured).length === 0 ? 'holds' : '**broken**',
    ];
  });
  return [HEAD, RULE, ...alone, ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

function latencies({ requestMs, jobMs }: Latencies): string[] {
  return [requestMs, jobMs].flatMap((values) => PARTS.map((part) => percentile(values, part).toFixed(0)));
}

const HEAD = [
  'Attack',
  "B's requests, p50, ms",
  'p95',
  'p99',
  "B's jobs, p50, ms",
  'p95',
  'p99',
  'B refused',
  'Memory before → most → after, MiB',
  'What the attacker got',
  'Promise',
];
const RULE = ['---', '--:', '--:', '--:', '--:', '--:', '--:', '--:', '--:', '---', '---'];

/** Says in a line how one attack went, and beneath how the promise was broken. */
export function resultLines(measured: Measured): string {
  const { name, judged, alone, attacked, got } = measured;
  const faults = judge(measured);
  const change = (kind: 'requestMs' | 'jobMs') =>
    `p${judged * 100} ${percentile(alone[kind], judged).toFixed(0)} → ${percentile(attacked[kind], judged).toFixed(0)} ms`;
  const verdict = faults.length === 0 ? 'holds ' : 'BROKEN';
  const line = `${verdict}  ${name.padEnd(26)} B's requests ${change('requestMs')}, jobs ${change('jobMs')}; got ${got}`;
  return [line, ...faults.map((fault) => `          ✗ ${fault}`)].join('\n');
}
