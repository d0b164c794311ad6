import manifest from '../package.json' with { type: 'json' };
import { findChromium, findRedisProgram } from '../packages/testing/src/find-program.ts';
import { ensureProgram } from './test/ensure-program.ts';
import { runCheck } from './test/run-check.ts';
import { runVitest } from './test/run-vitest.ts';
import type { Tally } from './test/tally.ts';

const { packageManager } = manifest;

/** `npm test`: every check, then every test. The last line is `N passed, N failed`, where a check counts as one. */
async function main(): Promise<void> {
  const tallies: Tally[] = [
    await runCheck('Style', 'biome', ['check', '--error-on-warnings', '.']),
    await runCheck('Types', 'npx', [
      '-y',
      packageManager,
      'exec',
      'turbo',
      'run',
      'typecheck',
      '--continue',
      '--output-logs=errors-only',
    ]),
    await runCheck('Rooms', 'depcruise', ['--config', '.dependency-cruiser.js', ...ROOMS]),
    await runCheck('Unused code', 'knip', ['--no-progress']),
    await ensureProgram('Redis', findRedisProgram, { apt: 'redis-server', brew: ['redis'] }),
    await ensureProgram('Chromium', findChromium, { apt: 'chromium', brew: ['--cask', 'chromium'] }),
    await runVitest(process.argv.slice(2)),
  ];
  const sum = (count: (tally: Tally) => number) => tallies.reduce((total, tally) => total + count(tally), 0);
  const failed = sum((tally) => tally.failed);
  process.stdout.write(`${sum((tally) => tally.passed)} passed, ${failed} failed\n`);
  process.exitCode = failed === 0 ? 0 : 1;
}

const ROOMS = ['apps', 'packages', 'migrations', 'examples', 'tests', 'scripts'];

await main();
