// Runs the pinned pnpm: `npm run pnpm -- add zod`, or `node scripts/pnpm/main.mjs install` where no npm script may be in between.
import { spawnSync } from 'node:child_process';
import { constants } from 'node:os';
import { delimiter, dirname } from 'node:path';
import { pinnedPnpm } from './pinned-pnpm.mjs';

try {
  const program = pinnedPnpm();
  // What runs as a script of package.json may look for a pnpm itself.
  const env = { ...process.env, PATH: `${dirname(program)}${delimiter}${process.env.PATH}` };
  const options = { stdio: 'inherit', env };
  const { status, signal, error } = spawnSync(program, process.argv.slice(2), options);
  if (error) throw error;
  process.exitCode = status ?? 128 + constants.signals[signal];
} catch (error) {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
