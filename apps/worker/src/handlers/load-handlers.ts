import { readdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import { describeJobType } from './describe-job-type.ts';
import { importHandler } from './import-handler.ts';
import { describeDuplicate, describeLoadFault } from './load-fault.ts';
import type { LoadedHandler } from './loaded-handler.ts';

export interface HandlerSources {
  /** The folder whose files are handlers, as `isHandlerFile` says; none are loaded when it is left out. */
  jobsDir?: string | undefined;
  builtins: LoadedHandler[];
}

/** Lists every fault of every handler file. None of them goes away while the files stay as they are. */
export class HandlersError extends Error {
  override name = 'HandlersError';

  constructor(faults: readonly string[]) {
    super(`The handlers cannot be loaded:\n${faults.map((fault) => `  - ${fault}`).join('\n')}`);
  }
}

/**
 * Loads every handler; throws one HandlersError that tells all faults of all files. A type that two handlers claim is a fault
 * that names both.
 */
export async function loadHandlers({ jobsDir, builtins }: HandlerSources): Promise<LoadedHandler[]> {
  const faults: string[] = [];
  const handlers = new Map(builtins.map((handler) => [handler.type, handler]));
  for (const file of jobsDir === undefined ? [] : await handlerFiles(resolve(jobsDir))) {
    try {
      const handler = await importHandler(file);
      describeJobType(handler);
      const other = handlers.get(handler.type);
      if (other) faults.push(await describeDuplicate(file, handler.type, other.file));
      else handlers.set(handler.type, handler);
    } catch (error) {
      faults.push(await describeLoadFault(file, error));
    }
  }
  if (faults.length > 0) throw new HandlersError(faults);
  return [...handlers.values()];
}

async function handlerFiles(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
    throw new HandlersError([`the folder ${folder} cannot be read (${error.code})`]);
  });
  return entries
    .filter((entry) => !entry.isDirectory() && isHandlerFile(entry.name))
    .map((entry) => resolve(folder, entry.name))
    .sort();
}

/**
 * Every TypeScript and JavaScript file in the folder itself is a handler, but for names that begin with `_` or `.`, and
 * those of declarations and tests. A rule by content would drop a handler without a word whose export is misspelt.
 */
function isHandlerFile(name: string): boolean {
  return /^[^_.].*\.[cm]?[jt]s$/.test(name) && !/\.(d|test|spec)\.[cm]?[jt]s$/.test(name);
}
