import { readFile } from 'node:fs/promises';

const PAGE_BYTES = 4_096;

/** Reads how much memory of the machine a process holds, in bytes; 0 where there is no `/proc` to tell. */
export async function residentBytes(pid: number): Promise<number> {
  const text = await readFile(`/proc/${pid}/statm`, 'utf8').catch(() => '');
  return Number(text.split(' ')[1] ?? 0) * PAGE_BYTES;
}
