import { readdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import { describeJobType } from './describe-job-type.ts';
import { importHandler } from './import-handler.ts';
import type { LoadedHandler } from './loaded-handler.ts';

export interface HandlerSources {
  /** The folder whose files are handlers; none are loaded when it is left out. Folders in it are not looked into. */
  jobsDir?: string | undefined;
  builtins: LoadedHandler[];
}

/**
 * Loads every handler; throws one Error that tells all faults of all files. A type that two handlers claim is a fault
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
      if (other)
        faults.push(`${file}: "${handler.type}" is already defined by ${other.file ?? 'the platform'}`);
      else handlers.set(handler.type, handler);
    } catch (error) {
      faults.push(`${file}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  if (faults.length > 0) throw loadError(faults);
  return [...handlers.values()];
}

async function handlerFiles(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
    throw loadError([`the folder ${folder} cannot be read (${error.code})`]);
  });
  return entries
    .filter((entry) => !entry.isDirectory() && isHandlerFile(entry.name))
    .map((entry) => resolve(folder, entry.name))
    .sort();
}

function isHandlerFile(name: string): boolean {
  return /\.(ts|js|mjs)$/.test(name) && !/\.(d|test)\.ts$/.test(name);
}

function loadError(faults: string[]): Error {
  return new Error(`The handlers cannot be loaded:\n${faults.map((fault) => `  - ${fault}`).join('\n')}`);
}
