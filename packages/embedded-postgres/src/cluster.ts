import { createHash, randomBytes } from 'node:crypto';
import { chmod, chown, mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { runProgram } from './run-program.ts';
import { canEnter, type ServerAccount } from './server-account.ts';
import { OPEN_FOLDER } from './server-binaries.ts';

/** A PostgreSQL cluster on disk: its data, and beside them what a client needs to connect. */
export interface Cluster {
  /** PostgreSQL's own data directory (PGDATA). */
  dataDir: string;
  password: string;
  portFile: string;
  logFile: string;
}

/** Opens the cluster in `folder`, making it when there is none; as root in a closed folder, under `/var/lib/accepted`. */
export async function openCluster(folder: string, initdb: string, account: ServerAccount): Promise<Cluster> {
  const home = await makeHome(resolve(folder), account);
  const dataDir = join(home, 'data');
  const passwordFile = join(home, 'password');
  if (!(await exists(join(dataDir, 'PG_VERSION')))) await createCluster(home, passwordFile, initdb, account);
  const password = (await readFile(passwordFile, 'utf8')).trim();
  return { dataDir, password, portFile: join(home, 'port'), logFile: join(dataDir, 'server.log') };
}

async function makeHome(folder: string, account: ServerAccount): Promise<string> {
  await mkdir(folder, { recursive: true });
  if (canEnter(folder, account)) return folder;
  const open = join(OPEN_FOLDER, createHash('sha256').update(folder).digest('hex').slice(0, 16));
  await mkdir(open, { recursive: true, mode: 0o755 });
  return open;
}

/** Runs initdb into a folder that is renamed when it is complete: an interrupted first start leaves nothing half made. */
async function createCluster(home: string, passwordFile: string, initdb: string, account: ServerAccount) {
  const unfinished = join(home, 'data.unfinished');
  await rm(unfinished, { recursive: true, force: true });
  await mkdir(unfinished, { mode: 0o700 });
  await writeFile(passwordFile, `${randomBytes(24).toString('hex')}\n`, { mode: 0o600 });
  await chmod(passwordFile, 0o600);
  await giveTo(account, unfinished, passwordFile);
  const version = majorVersion(await runProgram(initdb, ['--version'], account));
  await runProgram(initdb, initdbArguments(unfinished, passwordFile, version), account);
  await rename(unfinished, join(home, 'data'));
}

function majorVersion(text: string): number {
  return Number(/\) (\d+)/.exec(text)?.[1]);
}

const FIRST_WITH_BUILTIN_LOCALES = 17;

function initdbArguments(dataDir: string, passwordFile: string, version: number): string[] {
  // The builtin provider sorts the same on every machine, whatever locales its system has.
  const builtin = ['--locale-provider=builtin', '--builtin-locale=C.UTF-8'];
  return [
    `--pgdata=${dataDir}`,
    `--pwfile=${passwordFile}`,
    '--username=postgres',
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    ...(version >= FIRST_WITH_BUILTIN_LOCALES ? builtin : []),
    '--locale=C',
  ];
}

async function giveTo(account: ServerAccount, ...paths: string[]): Promise<void> {
  const { uid, gid } = account;
  if (uid === undefined || gid === undefined) return;
  for (const path of paths) await chown(path, uid, gid);
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}

/** Reads the port that this cluster had last; `undefined` when it never ran. */
export async function readRememberedPort(cluster: Cluster): Promise<number | undefined> {
  const text = await readFile(cluster.portFile, 'utf8').catch(() => '');
  return Number(text) || undefined;
}

/** Remembers the port, so that a URL somebody noted down works again after a restart. */
export async function rememberPort(cluster: Cluster, port: number): Promise<void> {
  await mkdir(dirname(cluster.portFile), { recursive: true });
  await writeFile(cluster.portFile, `${port}\n`);
}
