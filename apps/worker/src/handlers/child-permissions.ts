import { existsSync, realpathSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readableSources } from './readable-sources.ts';

/** Accepted's own folder. `npm start` keeps its secrets in it, and `.env` may lie there, so it is never readable as a whole. */
const PROGRAM_DIR = fileURLToPath(new URL('../../../../', import.meta.url));
const WORKER_DIR = join(PROGRAM_DIR, 'apps/worker');

/**
 * Answers the flags of Node that take from the process of an isolated handler what it does not need, where
 * `HANDLER_PERMISSIONS` asks for that: it reads its program, `JOBS_DIR` and the packages that handlers there can import,
 * writes nothing, and starts no program (https://nodejs.org/api/permissions.html). Node 24 leaves it the network, and signals.
 */
export function childPermissions({ HANDLER_PERMISSIONS, JOBS_DIR }: NodeJS.ProcessEnv): string[] {
  if (HANDLER_PERMISSIONS !== 'on') return [];
  // By its name and by its real one, which Node imports a file by. What lies beside it is not the handlers' own.
  const jobs = JOBS_DIR ? [resolve(JOBS_DIR), realPath(JOBS_DIR)] : [];
  const readable = [...readableSources([WORKER_DIR, ...jobs])].filter((path) => existsSync(path));
  // The thread watches for the worker's death.
  return ['--permission', '--allow-worker', ...readable.map((path) => `--allow-fs-read=${path}`)];
}

/** Tells whether Accepted lies in this folder, so that whoever reads all of it could read what Accepted keeps. */
export function holdsTheProgram(folder: string): boolean {
  return PROGRAM_DIR.startsWith(join(realPath(folder), '/'));
}

function realPath(folder: string): string {
  const path = resolve(folder);
  return existsSync(path) ? realpathSync(path) : path;
}
