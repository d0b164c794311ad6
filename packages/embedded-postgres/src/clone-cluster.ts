import { chown, copyFile, mkdir, readdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { findServerAccount, type ServerAccount } from './server-account.ts';

/** What a base backup leaves out: it belongs to the running server, or is streamed (chapter 25.3.4 of the manual). */
const LEFT_OUT = new Set([
  'postmaster.pid',
  'postmaster.opts',
  'server.log',
  'backup_label',
  'standby.signal',
]);
const LEFT_EMPTY = new Set([
  'pg_wal',
  'pg_replslot',
  'pg_dynshmem',
  'pg_notify',
  'pg_serial',
  'pg_snapshots',
  'pg_stat_tmp',
  'pg_subtrans',
]);

/**
 * Copies the files of a cluster to `folder`, with its password, for `startEmbeddedPostgres` to start there; answers the new
 * data directory. The server may run meanwhile, when it is told of a backup before and after. Knows no tablespaces.
 */
export async function cloneCluster(dataDir: string, folder: string): Promise<string> {
  const account = await findServerAccount();
  const target = join(folder, 'data');
  await copyFile(join(dirname(dataDir), 'password'), join(folder, 'password'));
  await own(join(folder, 'password'), account);
  await makeFolder(target, account);
  await copyFolder(dataDir, target, account, true);
  return target;
}

/** Writes a file that the server reads at its next start. */
export async function writeClusterFile(dataDir: string, name: string, text: string): Promise<void> {
  await writeFile(join(dataDir, name), text, { mode: 0o600, flag: 'a' });
  await own(join(dataDir, name), await findServerAccount());
}

async function copyFolder(from: string, to: string, account: ServerAccount, isTop = false): Promise<void> {
  for (const entry of await readdir(from, { withFileTypes: true })) {
    if (isTop && LEFT_OUT.has(entry.name)) continue;
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isDirectory()) {
      await makeFolder(target, account);
      if (!(isTop && LEFT_EMPTY.has(entry.name))) await copyFolder(source, target, account);
    } else if (entry.isFile()) await copyIfThere(source, target, account);
  }
}

/** A table may be dropped between the look and the copy; the log says so too. */
async function copyIfThere(source: string, target: string, account: ServerAccount): Promise<void> {
  try {
    await copyFile(source, target);
    await own(target, account);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
  }
}

async function makeFolder(path: string, account: ServerAccount): Promise<void> {
  await mkdir(path, { mode: 0o700 });
  await own(path, account);
}

async function own(path: string, { uid, gid }: ServerAccount): Promise<void> {
  if (uid !== undefined && gid !== undefined) await chown(path, uid, gid);
}
