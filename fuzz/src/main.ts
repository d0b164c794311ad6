import { writeFile } from 'node:fs/promises';
import { parseOptions, USAGE } from './options.ts';
import { reportLines } from './report/lines.ts';
import { runFuzz } from './run-fuzz.ts';

const EXIT_RED = 1;
const EXIT_MISUSED = 2;

const say = (text: string) => void process.stdout.write(`${text}\n`);

async function main(): Promise<number> {
  const options = readOptions();
  if (!options) return EXIT_MISUSED;
  const report = await runFuzz(options, say);
  say(reportLines(report));
  if (options.json !== undefined) await writeFile(options.json, JSON.stringify(report, undefined, 2));
  return report.faults.length === 0 ? 0 : EXIT_RED;
}

function readOptions() {
  try {
    return parseOptions(process.argv.slice(2));
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
    return undefined;
  }
}

// An event loop that runs empty in the middle of a run must not pass for a green one.
process.exitCode = EXIT_RED;
main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
    process.exit(EXIT_RED);
  },
);
