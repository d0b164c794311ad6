/** A service that does its work again and again until it is stopped. */
export interface Loop {
  /** Runs the work now, or again right after the run that is under way. */
  wake(): void;
  /** Resolves when the run that is under way has ended; there is none after it. */
  stop(): Promise<void>;
}

export interface LoopOptions {
  /** Does the work once and answers in how many milliseconds to do it again. */
  runOnce: () => Promise<number>;
  /** How long to wait after a run that failed. */
  retryAfterMs: number;
  onError: (error: unknown) => void;
}

/** Starts a loop; its runs never overlap, and a failing one is told and tried again. */
export function startLoop({ runOnce, retryAfterMs, onError }: LoopOptions): Loop {
  let stopped = false;
  let woken = false;
  let endWait: (() => void) | undefined;

  async function run(): Promise<void> {
    while (!stopped) {
      woken = false;
      const waitMs = await runOnce().catch((error: unknown) => {
        onError(error);
        return retryAfterMs;
      });
      if (!woken && !stopped) await pause(waitMs);
    }
  }

  function pause(waitMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, waitMs);
      endWait = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  const ended = run();
  return {
    wake() {
      woken = true;
      endWait?.();
    },
    async stop() {
      stopped = true;
      endWait?.();
      await ended;
    },
  };
}
