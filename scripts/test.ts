import { freemem } from 'node:os';
import {
  findChromium,
  findProgram,
  findRedisProgram,
  findSystemPostgres,
} from '../packages/testing/src/find-program.ts';
import { reportModel } from './model/report-model.ts';
import { checkSupplyChain } from './supply-chain/check-supply-chain.ts';
import { ensureProgram } from './test/ensure-program.ts';
import { keepPackageFromMakingCluster } from './test/postgres-package.ts';
import { runCheck } from './test/run-check.ts';
import { runVitest } from './test/run-vitest.ts';
import { sumUp, type Tally } from './test/tally.ts';

/** With a crash anywhere the search takes 2 GB, beside what else runs here. */
const MEMORY_OF_MODEL = 4 * 2 ** 30;

/** `npm test`: every check, then every test. The last line is `N passed, N failed`, where a check counts as one. */
async function main(): Promise<void> {
  const tallies: Tally[] = [
    await runCheck('Style', 'lint'),
    await runCheck('Types', 'check:types'),
    await runCheck('Rooms', 'check:rooms'),
    await runCheck('Unused code', 'check:unused'),
    ...(await checkSupplyChain()),
    await ensureProgram('Redis', findRedisProgram, { apt: 'redis-server', brew: ['redis'] }),
    await ensureProgram('Chromium', findChromium, { apt: 'chromium', brew: ['--cask', 'chromium'] }),
    await ensureProgram('PostgreSQL', findSystemPostgres, {
      apt: 'postgresql',
      brew: ['postgresql@15'],
      prepare: keepPackageFromMakingCluster,
      otherwise: 'none of the system; the embedded one does for the Redis engine as well, without JIT',
    }),
    await ensureProgram('Spin', () => findProgram(['spin']), {
      apt: 'spin',
      brew: ['spin'],
      otherwise: 'none, so the model is not checked',
    }),
    ...(await reportModel(freemem() > MEMORY_OF_MODEL ? 'standard' : 'small')),
    await runVitest(process.argv.slice(2)),
  ];
  const { text, failed } = sumUp(tallies);
  process.stdout.write(`${text}\n`);
  process.exitCode = failed === 0 ? 0 : 1;
}

await main();
