/** Lets so many handlers of a queue run at once, of one tenant not more than its share, and measures how long they take. */
export interface HandlerSlots {
  /**
   * Runs `handler` in a slot; `undefined` when none that the tenant may have came free before `signal` was aborted, or
   * soon enough.
   */
  run<Result>(
    tenantId: string,
    handler: () => Promise<Result>,
    signal: AbortSignal,
  ): Promise<Result | undefined>;
  /** Resolves when a slot is free, or the next time that a handler ends. */
  turnover(): Promise<void>;
  /** How long handlers have been taking of late. */
  handlerMs(): number;
}

export interface SlotOptions {
  slots: number;
  /** How many of them one tenant may have; all when left out. */
  mostPerTenant?: () => number;
  /** How long a job waits for a slot before it is left to other workers. */
  maxWaitMs?: number;
  now?: () => number;
}

/** The weight of the newest handler in the moving average. */
const SMOOTHING = 0.05;
/** What a handler is taken to need before any has been seen. */
const UNKNOWN_MS = 1_000;
/** A job that has waited as long came with others that turned out slow: other workers may be idle. */
const MAX_WAIT_MS = 250;

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
    now = () => performance.now(),
  } = options;
  const waiting = new Set<Waiting>();
  const takenBy = new Map<string, number>();
  const startedAt = new Map<symbol, number>();
  const waitingForTurnover: (() => void)[] = [];
  let taken = 0;
  let averageMs = UNKNOWN_MS;

  function takeNow(tenantId: string): boolean {
    const ofTenant = takenBy.get(tenantId) ?? 0;
    if (taken >= slots || ofTenant >= mostPerTenant()) return false;
    taken += 1;
    takenBy.set(tenantId, ofTenant + 1);
    return true;
  }

  function take(tenantId: string, signal: AbortSignal): Promise<boolean> {
    if (takeNow(tenantId)) return Promise.resolve(true);
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
      const timer = setTimeout(giveUp, maxWaitMs);
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

  /** Handlers that have not ended count as well, or a queue that has become slow would not be noticed for long. */
  function handlerMs(): number {
    let runningMs = 0;
    for (const started of startedAt.values()) runningMs += now() - started;
    return Math.max(averageMs, runningMs / slots);
  }

  return {
    async run(tenantId, handler, signal) {
      if (!(await take(tenantId, signal))) return undefined;
      const key = Symbol();
      const started = now();
      startedAt.set(key, started);
      try {
        return await handler();
      } finally {
        startedAt.delete(key);
        averageMs += SMOOTHING * (now() - started - averageMs);
        giveBack(tenantId);
      }
    },
    turnover() {
      if (taken < slots) return Promise.resolve();
      return new Promise((resolve) => waitingForTurnover.push(resolve));
    },
    handlerMs,
  };
}

/** Makes the function that finds the slots of a queue: every queue has as many of its own. */
export function createSlotsByQueue(options: SlotOptions): (queue: string) => HandlerSlots {
  const known = new Map<string, HandlerSlots>();
  return (queue) => {
    const found = known.get(queue) ?? createHandlerSlots(options);
    known.set(queue, found);
    return found;
  };
}
