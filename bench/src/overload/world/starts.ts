import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { STARTS_FILE, type StartLine } from '../../noop.ts';
import type { Stores } from '../../world/stores.ts';

/** Reads when handlers began, by the numbers of the jobs; of one that ran again, the first time. */
export async function readStarts({ folder }: Pick<Stores, 'folder'>): Promise<Map<number, number>> {
  const text = await readFile(join(folder, STARTS_FILE), 'utf8').catch(() => '');
  const starts = new Map<number, number>();
  // A handler that is just writing has not written the whole of its line.
  for (const line of text
    .slice(0, text.lastIndexOf('\n') + 1)
    .split('\n')
    .filter(Boolean)) {
    const { n, at }: StartLine = JSON.parse(line);
    if (!starts.has(n)) starts.set(n, at);
  }
  return starts;
}

export async function forgetStarts({ folder }: Pick<Stores, 'folder'>): Promise<void> {
  await rm(join(folder, STARTS_FILE), { force: true });
}
