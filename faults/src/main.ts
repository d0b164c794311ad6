import { copyFile, mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { runControl } from './control/run-control.ts';
import { loadSeconds, parseOptions, type RunOptions, USAGE } from './options.ts';
import { reportRun } from './report/report-run.ts';
import { runFaults } from './run-faults.ts';

const EXIT_VIOLATED = 1;
const EXIT_MISUSED = 2;
/** What a run may take over its time before it is given up: it must never hang. */
const GRACE_MS = 90_000;

const say = (line: string) => void process.stdout.write(`${line}\n`);

async function main(): Promise<number> {
  const options = readOptions();
  if (!options) return EXIT_MISUSED;
  setTimeout(() => giveUp(options), options.minutes * 60_000 + GRACE_MS).unref();
  const folder = await makeFolder(options).catch(complain);
  if (folder === undefined) return EXIT_MISUSED;
  const command = commandOf(options);
  say(`${command}\nlogs in ${folder}`);
  const { green, table } = await run(options, folder, command);
  say(table);
  if (options.json) await copyFile(join(folder, 'report.json'), options.json);
  if (green && !options.folder) await rm(folder, { recursive: true, force: true });
  else say(`Logs, report and plots are in ${folder}`);
  return green ? 0 : EXIT_VIOLATED;
}

async function run(options: RunOptions, folder: string, command: string) {
  const all = { ...options, folder, command, onProgress: say };
  if (options.control) {
    const { report, table } = await runControl({ ...all, seconds: loadSeconds(options) });
    // A control that loses nothing shows that the faults are too mild.
    return { green: report.figures.lost > 0, table };
  }
  await runFaults(all);
  const { report, table } = await reportRun(folder);
  return { green: report.green, table };
}

function readOptions(): RunOptions | undefined {
  try {
    return parseOptions(process.argv.slice(2));
  } catch (error) {
    return complain(error);
  }
}

function complain(error: unknown): undefined {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
}

async function makeFolder({ folder }: RunOptions): Promise<string> {
  if (!folder) return await mkdtemp(join(tmpdir(), 'accepted-faults-'));
  const path = resolve(folder);
  await mkdir(path, { recursive: true });
  if ((await readdir(path)).length > 0) throw new Error(`${path} is not empty: name another --folder.`);
  return path;
}

/** The command that makes this run again. */
function commandOf({ size, engine, jobs, faults, seed, control }: RunOptions): string {
  const what = `--size ${size} --engine ${engine} --jobs ${jobs} --faults ${faults} --seed ${seed}`;
  return `npm run faults -- ${what}${control ? ' --control' : ''}`;
}

function giveUp({ minutes }: RunOptions): void {
  process.stderr.write(`The run is not over after ${minutes} minutes: something in it hangs.\n`);
  process.exit(EXIT_VIOLATED);
}

// An event loop that runs empty in the middle of a run must not pass for a green one.
process.exitCode = EXIT_VIOLATED;
main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
    process.exit(EXIT_VIOLATED);
  },
);
