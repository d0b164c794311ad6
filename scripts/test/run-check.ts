import { runProgram } from './run-program.ts';
import { FAILED, PASSED, type Tally } from './tally.ts';

/**
 * Runs a checker, a script of package.json; what it prints is shown only when it finds something.
 *
 * The pinned pnpm runs it, and is on the PATH, where turbo wants to find one.
 */
export async function runCheck(name: string, script: string): Promise<Tally> {
  const startedAt = performance.now();
  process.stdout.write(`${name} ... `);
  const { code, output } = await runProgram('node', ['scripts/pnpm/main.mjs', 'run', script]);
  const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1);
  process.stdout.write(code === 0 ? `ok (${seconds} s)\n` : `FAILED (${seconds} s)\n${output}\n`);
  return code === 0 ? PASSED : FAILED;
}
