import { parseHoldOptions, USAGE } from './options.ts';
import { describeRecipe, type Measured } from './recipe.ts';
import { type HoldReport, MAX_HOLD_MS, runHold } from './run-hold.ts';

const EXIT_RED = 1;
const EXIT_MISUSED = 2;
const SHOWN = 10;

const say = (text: string) => void process.stdout.write(`${text}\n`);

async function main(): Promise<number> {
  const options = readOptions();
  if (!options) return EXIT_MISUSED;
  say(`seed ${options.seed}, ${options.rounds} rounds`);
  const report = await runHold(options, say);
  say(linesOf(report).join('\n'));
  return report.faults.length === 0 ? 0 : EXIT_RED;
}

function readOptions() {
  try {
    return parseHoldOptions(process.argv.slice(2));
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
    return undefined;
  }
}

function linesOf({ seed, requests, worst, faults }: HoldReport): string[] {
  const line = ({ recipe, ms, status }: Measured) =>
    `${ms.toFixed(1).padStart(8)} ms  ${status}  ${describeRecipe(recipe)}`;
  return [
    `${requests} requests, each held the event loop for as long as the smallest of its tries; the worst:`,
    ...worst.slice(0, SHOWN).map(line),
    ...faults.flatMap((fault) => [
      `FAULT ${line(fault)}`,
      `      npm run fuzz:hold -- --seed ${seed} --recipe '${JSON.stringify(fault.recipe)}'`,
    ]),
    faults.length === 0 ? `GREEN: none held it for more than ${MAX_HOLD_MS} ms` : `RED: ${faults.length} did`,
  ];
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
