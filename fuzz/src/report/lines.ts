import type { RunReport } from './run-report.ts';

const MIB = 2 ** 20;
const MAX_SHOWN = 30;

/** Says in lines how a run went. */
export function reportLines(report: RunReport): string {
  const { operations, violations, memory, faults, requests, seed } = report;
  const rows = operations.map(({ id, requests: count, statuses, slowestMs }) => {
    const answers = Object.entries(statuses).map(([status, times]) => `${status} × ${times}`);
    return `  ${id.padEnd(22)} ${String(count).padStart(5)}  slowest ${String(Math.round(slowestMs)).padStart(5)} ms  ${answers.join(', ')}`;
  });
  const shown = violations
    .slice(0, MAX_SHOWN)
    .map((violation) =>
      [
        `✗ ${violation.operation} #${violation.number}: ${violation.rule}: ${violation.detail} (${violation.count} ×)`,
        `  odd: ${violation.twists.join(', ') || 'nothing'}; again: npm run fuzz -- --seed ${seed} --only ${violation.operation}`,
        `  ${violation.curl}`,
        ...violation.answer.split('\n').map((line) => `  < ${line}`),
        ...violation.log.map((line) => `  log: ${line}`),
      ].join('\n'),
    );
  const end =
    faults.length === 0
      ? 'GREEN: every answer is documented.'
      : `RED:\n${faults.map((fault) => `  ${fault}`).join('\n')}`;
  return [
    ...rows,
    ...shown,
    `memory of the API: ${Math.round(memory.warm / MIB)} MiB after the warm-up, ${Math.round(memory.end / MIB)} MiB at the end`,
    `${requests} requests, seed ${seed}`,
    end,
  ].join('\n');
}
