import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { promisify } from 'node:util';

const run = promisify(execFile);
const CORES = availableParallelism();
const FIRST = '0';
const OTHERS = `1-${CORES - 1}`;
const ALL = `0-${CORES - 1}`;

/** Why a process cannot have a core for itself on this machine; `undefined` where it can. */
export async function whyNoOwnCore(): Promise<string | undefined> {
  if (CORES < 2) return 'this machine has one core';
  const found = await run('taskset', ['--version']).catch(() => undefined);
  return found ? undefined : 'there is no `taskset`';
}

/**
 * Keeps this process, PostgreSQL and all that they start from now on off the first core; a process is given it by `giveFirstCore`. What was
 * started before, but the server itself, goes on as it did.
 */
export async function leaveFirstCore(servers: { postgres: { pid: number } }): Promise<AsyncDisposable> {
  const pids = [process.pid, servers.postgres.pid, ...(await childrenOf(servers.postgres.pid))];
  for (const pid of pids) await pin(pid, OTHERS);
  return {
    async [Symbol.asyncDispose]() {
      for (const pid of pids) await pin(pid, ALL);
    },
  };
}

export async function giveFirstCore({ pid }: { pid: number }): Promise<void> {
  await pin(pid, FIRST);
}

/** All threads of it; one that has ended meanwhile needs no core. */
async function pin(pid: number, cores: string): Promise<void> {
  await run('taskset', ['--all-tasks', '--pid', '--cpu-list', cores, `${pid}`]).catch(() => undefined);
}

async function childrenOf(pid: number): Promise<number[]> {
  const listed = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '');
  return listed.trim().split(/\s+/).filter(Boolean).map(Number);
}
