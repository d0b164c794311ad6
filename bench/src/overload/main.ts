// `npm run overload`: more is offered than can be done, to Accepted and to what one would write instead.
import { mkdir, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isReached } from '../report/target.ts';
import { runProgram } from '../run-program.ts';
import { parseOverloadOptions, USAGE } from './options.ts';
import type { OverloadReport } from './report/overload-report.ts';
import { renderReport } from './report/render-report.ts';
import { runOverload } from './run-overload.ts';

const EXIT_BROKEN = 1;

const startedAt = Date.now();

/** Progress goes to stderr, so that stdout has the figures alone. */
function say(line: string): void {
  const seconds = Math.round((Date.now() - startedAt) / 1_000);
  process.stderr.write(`${String(seconds).padStart(5)} s  ${line}\n`);
}

async function main(): Promise<number> {
  const args = process.argv.slice(2);
  const options = parseOverloadOptions(args);
  const { minutes, folder = await mkdtemp(join(tmpdir(), 'accepted-overload-')) } = options;
  await mkdir(folder, { recursive: true });
  setTimeout(() => giveUp(minutes), minutes * 60_000).unref();
  const command = ['npm run overload --', ...args].join(' ');
  const report = await runOverload({ ...options, command, folder, say });
  process.stdout.write(`${renderReport(report)}\nfigures and plots: ${folder}\n`);
  return holds(report) ? 0 : EXIT_BROKEN;
}

function holds({ parts, failures }: OverloadReport): boolean {
  return failures.length === 0 && parts.every(({ goals }) => goals.every(isReached));
}

function giveUp(minutes: number): void {
  say(`The run is not over after ${minutes} minutes: something in it hangs.`);
  process.exit(EXIT_BROKEN);
}

runProgram(main, USAGE);
