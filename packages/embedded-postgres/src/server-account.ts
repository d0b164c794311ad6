import { execFile, spawnSync } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** The operating-system account that the server runs as: `{}` is our own. */
export interface ServerAccount {
  uid?: number;
  gid?: number;
}

/**
 * Finds the account to run PostgreSQL as: our own, or `postgres` when we are root, because PostgreSQL refuses to run
 * as root. The `postgres` account is made when the system has none.
 */
export async function findServerAccount(): Promise<ServerAccount> {
  if (process.getuid?.() !== 0) return {};
  try {
    return await readAccount();
  } catch {
    await run('useradd', ['--system', '--user-group', '--no-create-home', 'postgres']);
    return await readAccount();
  }
}

async function readAccount(): Promise<ServerAccount> {
  const [uid, gid] = await Promise.all([run('id', ['-u', 'postgres']), run('id', ['-g', 'postgres'])]);
  return { uid: Number(uid.stdout), gid: Number(gid.stdout) };
}

/** Tells whether the account may enter a folder: `/root`, for one, is closed to `postgres`. */
export function canEnter(folder: string, account: ServerAccount): boolean {
  return spawnSync('/bin/sh', ['-c', 'cd "$1"', 'sh', folder], { ...account, cwd: '/' }).status === 0;
}
