import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Accepted's own folder, with the packages that handlers may import. */
const PROGRAM_DIR = fileURLToPath(new URL('../../../../', import.meta.url));

/**
 * Answers the flags of Node that take from the process of an isolated handler what it does not need, where
 * `HANDLER_PERMISSIONS` asks for that: it reads its program and the folder that `JOBS_DIR` is in, writes nothing, and
 * starts no program (https://nodejs.org/api/permissions.html). Node 24 leaves it the network, and signals.
 */
export function childPermissions({ HANDLER_PERMISSIONS, JOBS_DIR = '.' }: NodeJS.ProcessEnv): string[] {
  if (HANDLER_PERMISSIONS !== 'on') return [];
  // The thread that watches for the worker's death.
  const threads = '--allow-worker';
  const readable = [PROGRAM_DIR, dirname(resolve(JOBS_DIR))].map((folder) => `--allow-fs-read=${folder}`);
  return ['--permission', threads, ...readable];
}
