// `npm run bench:smoke`: within a minute, whether something that is slow or dear has crept in.
import { readPostgresVersion } from '../world/machine.ts';
import { startServers } from '../world/servers.ts';
import { BUDGETS } from './budgets.ts';
import { judge, renderJudged } from './judge.ts';
import { measureSmoke } from './measure-smoke.ts';

const EXIT_BROKEN = 1;
const GIVE_UP_AFTER_MS = 120_000;

async function main(): Promise<number> {
  setTimeout(giveUp, GIVE_UP_AFTER_MS).unref();
  await using servers = await startServers('system');
  process.stdout.write(`on PostgreSQL ${await readPostgresVersion(servers.postgres.url)}\n`);
  const judged = judge(await measureSmoke(servers), BUDGETS);
  process.stdout.write(`${renderJudged(judged)}\n`);
  return judged.every(({ holds }) => holds) ? 0 : EXIT_BROKEN;
}

function giveUp(): void {
  process.stderr.write('The smoke run is not over after two minutes: something in it hangs.\n');
  process.exit(EXIT_BROKEN);
}

// An event loop that runs empty in the middle must not pass for a run that held.
process.exitCode = EXIT_BROKEN;
main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
    process.exit(EXIT_BROKEN);
  },
);
