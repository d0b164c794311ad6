import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { readCommandLine } from './command-line.ts';

export interface RunningServer {
  pid: number;
  port: number;
}

/** Finds the server that runs on this data directory and takes connections, from what it wrote to `postmaster.pid`. */
export async function findRunningServer(dataDir: string): Promise<RunningServer | undefined> {
  const lines = await readPidFile(dataDir);
  const [pid, port, status] = [Number(lines[0]), Number(lines[3]), lines[7]?.trim()];
  if (!pid || !port || status !== 'ready') return undefined;
  return (await isServerOf(dataDir, pid)) ? { pid, port } : undefined;
}

/**
 * Removes a `postmaster.pid` whose pid has gone to another process since, as happens after a reboot or in a container:
 * PostgreSQL would take that for a running server and refuse to start. Every other stale file it removes itself, and
 * more safely: two servers on the same data would destroy them.
 */
export async function removeStalePidFile(dataDir: string): Promise<void> {
  const pid = Number((await readPidFile(dataDir))[0]);
  if (pid && !(await isServerOf(dataDir, pid))) await rm(pidFile(dataDir), { force: true });
}

function pidFile(dataDir: string): string {
  return join(dataDir, 'postmaster.pid');
}

async function readPidFile(dataDir: string): Promise<string[]> {
  return (await readFile(pidFile(dataDir), 'utf8').catch(() => '')).split('\n');
}

async function isServerOf(dataDir: string, pid: number): Promise<boolean> {
  return (await readCommandLine(pid)).includes(dataDir);
}
