import { createRounds } from './rounds.ts';

/** Runs the work of many clients, a bounded number at once, in turns. */
export interface FairQueue {
  /** Rejects with `WaitedTooLongError` when the work was not begun in time; it is not begun then. */
  run<Value>(client: string, work: () => Promise<Value>): Promise<Value>;
}

export interface FairQueueOptions {
  concurrency: number;
  /** How long work may wait to be begun; without end when left out. */
  maxWaitMs?: number;
  /** Is told how long each waited that was begun. */
  onWaited?: (ms: number) => void;
}

/** Others were before it for too long. */
export class WaitedTooLongError extends Error {
  constructor(maxWaitMs: number) {
    super(`timeout: others were before it for ${maxWaitMs} ms`);
  }
}

export function createFairQueue({ concurrency, maxWaitMs, onWaited }: FairQueueOptions): FairQueue {
  const waiting = createRounds<{ start(): boolean }>();
  let running = 0;

  /** Gives a place to the next one that still wants it, so that nobody who comes in between takes it. */
  function passOn(): void {
    let next = waiting.next();
    while (next && !next.start()) next = waiting.next();
    if (!next) running -= 1;
  }

  function turnOf(client: string): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    let isOver = false;
    const end = (settle: () => void) => {
      if (isOver) return false;
      isOver = true;
      clearTimeout(timer);
      settle();
      return true;
    };
    const timer =
      maxWaitMs === undefined
        ? undefined
        : setTimeout(() => end(() => reject(new WaitedTooLongError(maxWaitMs))), maxWaitMs);
    waiting.add(client, { start: () => end(resolve) });
    return promise;
  }

  return {
    async run(client, work) {
      const sinceMs = performance.now();
      if (running < concurrency) running += 1;
      else await turnOf(client);
      onWaited?.(performance.now() - sinceMs);
      try {
        return await work();
      } finally {
        passOn();
      }
    },
  };
}
