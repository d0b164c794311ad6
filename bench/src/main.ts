import { copyFile, mkdir, mkdtemp, readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseOptions, type RunOptions, USAGE } from './options.ts';
import { reportRun } from './report/report-run.ts';
import { runBench } from './run-bench.ts';
import { runProgram } from './run-program.ts';

const EXIT_FAILED = 1;

const startedAt = Date.now();

/** Progress goes to stderr, so that stdout has the tables alone. */
function say(line: string): void {
  const seconds = Math.round((Date.now() - startedAt) / 1_000);
  process.stderr.write(`${String(seconds).padStart(5)} s  ${line}\n`);
}

async function main(): Promise<number> {
  const args = process.argv.slice(2);
  const options = parseOptions(args);
  setTimeout(() => giveUp(options), options.minutes * 60_000).unref();
  const folder = await makeFolder(options);
  const command = ['npm run bench --', ...args].join(' ');
  const run = await runBench({ ...options, command, folder, say });
  const { report, text } = await reportRun(folder, run, options.parts);
  process.stdout.write(text);
  if (options.json) await copyFile(join(folder, 'report.json'), options.json);
  process.stdout.write(`Report and plots are in ${folder}\n`);
  return report.failures.length === 0 ? 0 : EXIT_FAILED;
}

async function makeFolder({ folder }: RunOptions): Promise<string> {
  if (!folder) return await mkdtemp(join(tmpdir(), 'accepted-bench-run-'));
  const path = resolve(folder);
  await mkdir(path, { recursive: true });
  if ((await readdir(path)).length > 0) throw new Error(`${path} is not empty`);
  return path;
}

function giveUp({ minutes }: RunOptions): void {
  process.stderr.write(`The run is not over after ${minutes} minutes: something in it hangs.\n`);
  process.exit(EXIT_FAILED);
}

runProgram(main, USAGE);
