import { residentBytes } from '@accepted/testing/resident-bytes';

const SAMPLE_MS = 200;

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
