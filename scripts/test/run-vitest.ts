import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { WORKSPACE } from './run-program.ts';
import type { Tally } from './tally.ts';

const REPORT = join(WORKSPACE, 'node_modules/.cache/vitest-report.json');

/** The part of vitest's JSON report that is read here. */
interface Report {
  numPassedTests: number;
  numFailedTests: number;
  numPendingTests: number;
  numTodoTests: number;
  testResults: { name: string; status: string; assertionResults: unknown[] }[];
}

/** Runs unit, integration and end-to-end tests; `filters` are vitest's own arguments. */
export async function runVitest(filters: string[]): Promise<Tally> {
  await rm(REPORT, { force: true });
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${REPORT}`];
  const child = spawn('vitest', ['run', ...reporters, ...filters], {
    cwd: WORKSPACE,
    stdio: ['ignore', 1, 2],
  });
  const [code]: [number | null] = (await once(child, 'exit')) as [number | null];
  const report = await readFile(REPORT, 'utf8').catch(() => undefined);
  if (!report) return { passed: 0, failed: 1 };
  return tallyReport(JSON.parse(report), code === 0);
}

/**
 * Counts a report. A file that could not be loaded has no tests, yet failed; a test that was skipped proves nothing, so
 * it failed too; and where vitest is not content for another reason, such as an unhandled rejection, that is one more.
 */
export function tallyReport(report: Report, isContent: boolean): Tally {
  const unloaded = report.testResults.filter(
    (file) => file.status === 'failed' && file.assertionResults.length === 0,
  );
  const failed = report.numFailedTests + report.numPendingTests + report.numTodoTests + unloaded.length;
  return { passed: report.numPassedTests, failed: failed === 0 && !isContent ? 1 : failed };
}
