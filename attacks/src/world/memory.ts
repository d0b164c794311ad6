import { readFile } from 'node:fs/promises';

const PAGE_BYTES = 4_096;
const SAMPLE_MS = 200;

/** Reads how much memory of the machine a process holds, in bytes; 0 where there is no `/proc` to tell. */
export async function residentBytes(pid: number): Promise<number> {
  const text = await readFile(`/proc/${pid}/statm`, 'utf8').catch(() => '');
  return Number(text.split(' ')[1] ?? 0) * PAGE_BYTES;
}

/** Watches processes until it is stopped, and answers the most that they held together. */
export function watchMemory(pids: number[]): { stop(): Promise<number> } {
  let most = 0;
  let looking = Promise.resolve();
  const look = async () => {
    const all = await Promise.all(pids.map(residentBytes));
    most = Math.max(
      most,
      all.reduce((sum, bytes) => sum + bytes, 0),
    );
  };
  const timer = setInterval(() => {
    looking = looking.then(look);
  }, SAMPLE_MS);
  return {
    async stop() {
      clearInterval(timer);
      await looking.then(look);
      return most;
    },
  };
}
