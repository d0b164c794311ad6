import type { RunReport } from './run-report.ts';

/** What the memory of the API may grow by from the end of the warm-up to the end. */
const MAX_GROWTH_BYTES = 32 * 2 ** 20;
const MIB = 2 ** 20;

/** Lists what makes a run red. Pure. */
export function faultsOf(report: Omit<RunReport, 'faults'>): string[] {
  const { violations, without, memory, broke, dead } = report;
  const growth = memory.end - memory.warm;
  return [
    ...violations.map(
      ({ operation, rule, detail, count }) => `${operation}: ${rule}: ${detail} (${count} ×)`,
    ),
    ...without['2xx'].map((id) => `${id} was never answered with a 2xx.`),
    ...without['4xx'].map((id) => `${id} was never answered with a 4xx.`),
    ...(broke === undefined ? [] : [`The run broke off: ${broke}`]),
    ...dead.map((name) => `The ${name} has ended.`),
    ...(growth > MAX_GROWTH_BYTES
      ? [
          `The API holds ${Math.round(growth / MIB)} MiB more than after the warm-up; ${MAX_GROWTH_BYTES / MIB} may be.`,
        ]
      : []),
  ];
}
