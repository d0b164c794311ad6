import { execFile } from 'node:child_process';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { findFreePort } from '@accepted/embedded-postgres/free-port';
import { type SpawnedProcess, spawnProcess } from '@accepted/testing/spawn-process';

const run = promisify(execFile);

/** A folder and a port for one quickstart after the other. */
export interface Place {
  env: { STATE_DIR: string; PORT: string };
  start(env?: Record<string, string>, args?: string[]): SpawnedProcess;
  [Symbol.asyncDispose](): Promise<void>;
}

export async function makePlace(): Promise<Place> {
  const folder = await mkdtemp(join(tmpdir(), 'accepted-quickstart-'));
  // As root PostgreSQL runs as `postgres`, who has to pass through.
  await chmod(folder, 0o711);
  const env = { STATE_DIR: folder, PORT: String(await findFreePort()) };
  const quickstarts: SpawnedProcess[] = [];
  return {
    env,
    start(more, args) {
      const quickstart = startQuickstart({ ...env, ...more }, args);
      quickstarts.push(quickstart);
      return quickstart;
    },
    async [Symbol.asyncDispose]() {
      for (const quickstart of quickstarts) await endInOrder(quickstart);
      await rm(folder, { recursive: true });
    },
  };
}

/** Starts the quickstart as `npm start` does. */
export function startQuickstart(env: Record<string, string>, args: string[] = []): SpawnedProcess {
  return spawnProcess('scripts/run.mjs', { args: ['apps/quickstart/src/main.ts', ...args], env });
}

export async function endInOrder(quickstart: SpawnedProcess): Promise<{ code: number | null }> {
  quickstart.kill('SIGINT');
  return await quickstart.exited;
}

/** Runs what a user pastes into a terminal, and answers what it prints. */
export async function paste(command: string): Promise<string> {
  return (await run('sh', ['-e', '-c', command])).stdout;
}

/** Finds the commands that the quickstart has printed: the one that submits a job, and the one that reads it. */
export function printedCommands(lines: readonly string[]): { submit: string; read: string } {
  const [submit = '', read = ''] = lines.join('\n').match(/^curl .*(\n {2}.*)*/gm) ?? [];
  return { submit, read };
}

/** Lists the children of `parents` that run `program`. */
export async function processesOf(program: string, parents: readonly number[]): Promise<number[]> {
  const { stdout } = await run('ps', ['-A', '-o', 'pid=,ppid=,args=']);
  const rows = stdout.split('\n').map((line) => line.trim().split(/\s+/));
  return rows
    .filter(([, ppid, ...args]) => parents.includes(Number(ppid)) && args.join(' ').includes(program))
    .map(([pid]) => Number(pid));
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
