import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { WORKSPACE } from '../test/run-program.ts';

/** Runs a program in the workspace, whose output is to be read by a program and its complaints by people. */
export async function runForOutput(
  program: string,
  args: string[],
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child = spawn(program, args, { cwd: WORKSPACE, stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  const [stdout, stderr, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  return { code, stdout, stderr };
}
