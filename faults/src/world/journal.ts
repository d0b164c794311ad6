import { open } from 'node:fs/promises';

/** Appends JSON lines to a file. */
export interface Journal<Line> {
  /** Resolves when the line is on disk; lines that are written together share one fsync. */
  write(line: Line): Promise<void>;
  /** Resolves when everything is on disk. */
  close(): Promise<void>;
}

export async function openJournal<Line>(path: string): Promise<Journal<Line>> {
  const file = await open(path, 'a');
  let waiting: { text: string; done: () => void }[] = [];
  let flushing: Promise<void> | undefined;

  async function flush(): Promise<void> {
    while (waiting.length > 0) {
      const batch = waiting;
      waiting = [];
      await file.appendFile(batch.map(({ text }) => text).join(''));
      await file.datasync();
      for (const { done } of batch) done();
    }
    flushing = undefined;
  }

  return {
    write(line) {
      const { promise, resolve } = Promise.withResolvers<void>();
      waiting.push({ text: `${JSON.stringify(line)}\n`, done: resolve });
      flushing ??= flush();
      return promise;
    },
    async close() {
      await flushing;
      await file.close();
    },
  };
}
