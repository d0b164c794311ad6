import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import type { ServerAccount } from './server-account.ts';

/**
 * Runs one of PostgreSQL's programs to its end and returns what it printed; throws with that text when it fails.
 *
 * It gets a process group of its own, so that Ctrl-C in the terminal does not reach it, and none of the `PG*`
 * variables of the environment, which would point it elsewhere.
 */
export async function runProgram(program: string, args: string[], account: ServerAccount): Promise<string> {
  const child = spawn(program, args, {
    ...account,
    cwd: '/',
    detached: true,
    env: { PATH: '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exit = new Promise<number | null>((done, fail) => {
    child.on('error', fail);
    child.on('exit', done);
  });
  const [code, out, err] = await Promise.all([exit, text(child.stdout), text(child.stderr)]);
  if (code !== 0) throw new Error(`${program} failed (${code}): ${err.trim() || out.trim()}`);
  return out;
}
