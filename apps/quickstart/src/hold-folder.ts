import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readCommandLine } from '@accepted/embedded-postgres/command-line';
import { StartError } from './start-error.ts';

/**
 * Takes `stateDir` for this process alone, for two would end each other's database. Returns a function that gives it
 * back. A holder that was killed does not count: its pid is gone, or belongs to another program.
 */
export async function holdFolder(stateDir: string): Promise<() => Promise<void>> {
  const file = join(stateDir, 'quickstart.pid');
  await mkdir(stateDir, { recursive: true });
  try {
    await writeFile(file, String(process.pid), { flag: 'wx' });
  } catch {
    const pid = Number(await readFile(file, 'utf8'));
    if (pid !== process.pid && (await readCommandLine(pid)).includes('quickstart')) {
      throw new StartError(`Accepted already runs from this folder (process ${pid}): end that one first`);
    }
    await writeFile(file, String(process.pid));
  }
  return () => rm(file, { force: true });
}
