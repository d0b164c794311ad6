import { accessSync, constants } from 'node:fs';
import { delimiter, dirname, isAbsolute, join } from 'node:path';
import { testConfig } from './test-config.ts';

/** Finds Redis, or Valkey, which speaks the same. */
export function findRedisProgram(): string | undefined {
  return findProgram(['redis-server', 'valkey-server']);
}

/** Finds a Chromium, or a browser that is made of it. */
export function findChromium(): string | undefined {
  return findProgram([
    'chromium',
    'chromium-browser',
    'google-chrome',
    '/Applications/Chromium.app/Contents/MacOS/Chromium',
    '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  ]);
}

/** The versions of PostgreSQL that are supported, the oldest first. */
const POSTGRES_VERSIONS = [15, 16, 17, 18];

/**
 * Finds the `bin` folder of the oldest supported PostgreSQL that Debian's, PostgreSQL's own or Homebrew's package has
 * installed. Only its programs are used: the cluster that a package may have started is left alone.
 */
export function findSystemPostgres(): string | undefined {
  const folders = POSTGRES_VERSIONS.flatMap((version) => [
    `/usr/lib/postgresql/${version}/bin`,
    `/usr/pgsql-${version}/bin`,
    `/opt/homebrew/opt/postgresql@${version}/bin`,
    `/usr/local/opt/postgresql@${version}/bin`,
  ]);
  const program = findProgram(folders.map((folder) => join(folder, 'initdb')));
  return program && dirname(program);
}

/** Finds the first of these programs that there is, by its path or in the folders of `PATH`. */
export function findProgram(names: string[]): string | undefined {
  const folders = (testConfig.PATH ?? '').split(delimiter);
  const candidates = names.flatMap((name) =>
    isAbsolute(name) ? [name] : folders.map((folder) => join(folder, name)),
  );
  return candidates.find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
