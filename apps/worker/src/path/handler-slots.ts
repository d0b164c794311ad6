import type { StopSignal } from '../handlers/stop-signal.ts';
import { createHandlerTimes, type HandlerTimes } from './handler-times.ts';

/** What of a job decides whether it gets a slot, and how long it waits for one. */
interface SlotUser {
  tenantId: string;
  type: string;
}

/** Lets so many handlers of a queue run at once, of one tenant not more than its share, and measures how long they take. */
export interface HandlerSlots {
  /**
   * Runs `handler` in a slot; `undefined` when none that the tenant may have came free before `signal` was aborted, or
   * soon enough.
   */
  run<Result>(job: SlotUser, handler: () => Promise<Result>, signal: StopSignal): Promise<Result | undefined>;
  /** Resolves when a slot is free, or the next time that a handler ends. */
  turnover(): Promise<void>;
}

export interface SlotOptions {
  slots: number;
  /** How many of them one tenant may have; all when left out. */
  mostPerTenant?: () => number;
  /** How long a job waits for a slot before it is left to other workers: one whose handler is known to be quick, and others. */
  maxWaitMs?: { quick: number; slow: number };
  /** Gets how long they take. */
  times?: Pick<HandlerTimes, 'begin' | 'isQuick'>;
}

/**
 * A job that has waited as long came with others that turned out slow: other workers may be idle. One that is slow itself
 * holds up what comes after it for less.
 */
const MAX_WAIT_MS = { quick: 250, slow: 50 };

/** A job that waits for a slot. */
interface Waiting {
  tenantId: string;
  getSlot: () => void;
}

export function createHandlerSlots(options: SlotOptions): HandlerSlots {
  const {
    slots,
    mostPerTenant = () => slots,
    maxWaitMs = MAX_WAIT_MS,
    times = createHandlerTimes({ slots, now: () => performance.now() }),
  } = options;
  const waiting = new Set<Waiting>();
  const takenBy = new Map<string, number>();
  const waitingForTurnover: (() => void)[] = [];
  let taken = 0;

  function takeNow(tenantId: string): boolean {
    const ofTenant = takenBy.get(tenantId) ?? 0;
    if (taken >= slots || ofTenant >= mostPerTenant()) return false;
    taken += 1;
    takenBy.set(tenantId, ofTenant + 1);
    return true;
  }

  function waitForSlot({ tenantId, type }: SlotUser, signal: StopSignal): Promise<boolean> {
    if (signal.aborted) return Promise.resolve(false);
    return new Promise((resolve) => {
      const settle = (hasSlot: boolean) => {
        waiting.delete(own);
        clearTimeout(timer);
        signal.removeEventListener('abort', giveUp);
        resolve(hasSlot);
      };
      const own = { tenantId, getSlot: () => settle(true) };
      const giveUp = () => settle(false);
      const timer = setTimeout(giveUp, times.isQuick(type) ? maxWaitMs.quick : maxWaitMs.slow);
      signal.addEventListener('abort', giveUp, { once: true });
      waiting.add(own);
    });
  }

  function giveBack(tenantId: string): void {
    for (const resolve of waitingForTurnover.splice(0)) resolve();
    const left = (takenBy.get(tenantId) ?? 0) - 1;
    if (left > 0) takenBy.set(tenantId, left);
    else takenBy.delete(tenantId);
    taken -= 1;
    for (const next of waiting)
      if (takeNow(next.tenantId)) {
        next.getSlot();
        break;
      }
  }

  return {
    async run(job, handler, signal) {
      if (!takeNow(job.tenantId) && !(await waitForSlot(job, signal))) return undefined;
      const end = times.begin(job.type);
      try {
        return await handler();
      } finally {
        end();
        giveBack(job.tenantId);
      }
    },
    turnover() {
      if (taken < slots) return Promise.resolve();
      return new Promise((resolve) => waitingForTurnover.push(resolve));
    },
  };
}
