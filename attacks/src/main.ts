import { writeFile } from 'node:fs/promises';
import { nameCommit } from '@accepted/testing/name-commit';
import { ALL_ATTACKS } from './attacks/all-attacks.ts';
import { parseOptions, USAGE } from './options.ts';
import { resultLines } from './report/table.ts';
import type { AttackReport } from './report.ts';
import { measureAlone, runAttack } from './run-attack.ts';
import { judge, type Measured } from './verdict.ts';
import { startWorld } from './world/world.ts';

const EXIT_BROKEN = 1;
const EXIT_MISUSED = 2;

const say = (text: string) => void process.stdout.write(`${text}\n`);

async function main(): Promise<number> {
  const options = readOptions();
  if (!options) return EXIT_MISUSED;
  say('starting Postgres, Redis, an API and a worker');
  const world = await startWorld();
  const measured: Measured[] = [];
  try {
    say('measuring the quiet tenant alone');
    const alone = await measureAlone(world, options.seconds.alone);
    for (const attack of ALL_ATTACKS.filter(({ name }) => options.only.includes(name))) {
      say(`${attack.name}: ${attack.does}`);
      const result = {
        ...(await runAttack(world, attack, options.seconds.attacked)),
        alone,
        judged: options.judged,
      };
      say(resultLines(result));
      measured.push(result);
    }
  } finally {
    await world.close();
  }
  const command = `npm run attack -- --size ${options.size}`;
  const report: AttackReport = {
    command,
    commit: await nameCommit(import.meta.dirname),
    date: today(),
    measured,
  };
  if (options.json !== undefined) await writeFile(options.json, JSON.stringify(report, undefined, 2));
  const broken = measured.filter((result) => judge(result).length > 0);
  say(
    broken.length === 0
      ? 'GREEN: nobody stopped another.'
      : `RED: ${broken.map(({ name }) => name).join(', ')}`,
  );
  return broken.length === 0 ? 0 : EXIT_BROKEN;
}

function readOptions() {
  try {
    return parseOptions(process.argv.slice(2));
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
    return undefined;
  }
}

function today(): string {
  return new Date().toISOString().slice(0, 10);
}

// An event loop that runs empty in the middle of a run must not pass for a green one.
process.exitCode = EXIT_BROKEN;
main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
    process.exit(EXIT_BROKEN);
  },
);
