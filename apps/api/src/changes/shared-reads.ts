import pLimit from 'p-limit';

/** Reads values by key, for many who ask at once. */
export interface SharedReads<Value> {
  /** Answers what is there under a key at this moment or later: never what was read before the call. */
  read(key: string): Promise<Value>;
}

interface Reading<Value> {
  running: Promise<Value>;
  /** For those who came when the running one may have looked already. */
  next?: Promise<Value>;
}

/**
 * Makes reads that are shared: of a key no more than one read is under way and one waits, however many ask; of all keys
 * no more than `concurrency` are under way, so that a crowd leaves connections for others.
 */
export function createSharedReads<Value>(
  read: (key: string) => Promise<Value>,
  concurrency: number,
): SharedReads<Value> {
  const limit = pLimit(concurrency);
  const readings = new Map<string, Reading<Value>>();

  function start(key: string): Promise<Value> {
    const reading: Reading<Value> = { running: limit(read, key) };
    readings.set(key, reading);
    const settle = () => {
      if (readings.get(key) === reading && !reading.next) readings.delete(key);
    };
    reading.running.then(settle, settle);
    return reading.running;
  }

  return {
    read(key) {
      const reading = readings.get(key);
      if (!reading) return start(key);
      const startNext = () => start(key);
      reading.next ??= reading.running.then(startNext, startNext);
      return reading.next;
    },
  };
}
