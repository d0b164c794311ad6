import type { OneService } from './service-leases.ts';

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
  /** The work is done by one worker of the installation, and where this is left out by each. */
  service?: OneService | undefined;
  /** A run that takes longer has another worker take the service over. */
  mayTakeMs?: number;
}

/** Longer than a statement may take. */
const MAY_TAKE_MS = 15_000;
/** Whoever gets the service is woken. */
const ELSEWHERE_MS = 60_000;

/** Starts a loop; its runs never overlap, and a failing one is told and tried again. */
export function startLoop(options: LoopOptions): Loop {
  const { runOnce, retryAfterMs, onError, service, mayTakeMs = MAY_TAKE_MS } = options;
  let stopped = false;
  let woken = false;
  let endWait: (() => void) | undefined;
  let runsSinceMs: number | undefined;

  async function run(): Promise<void> {
    while (!stopped) {
      woken = false;
      const waitMs = service && !service.isHeld() ? ELSEWHERE_MS : await runMeasured();
      if (!woken && !stopped) await pause(waitMs);
    }
  }

  async function runMeasured(): Promise<number> {
    runsSinceMs = performance.now();
    const waitMs = await runOnce().catch((error: unknown) => {
      onError(error);
      return retryAfterMs;
    });
    runsSinceMs = undefined;
    return waitMs;
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

  function wake(): void {
    woken = true;
    endWait?.();
  }

  service?.onGained(wake);
  service?.onlyWhile(() => runsSinceMs === undefined || performance.now() - runsSinceMs < mayTakeMs);
  const ended = run();
  return {
    wake,
    async stop() {
      stopped = true;
      endWait?.();
      await ended;
    },
  };
}
