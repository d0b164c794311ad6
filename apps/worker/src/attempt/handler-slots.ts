import { claimAhead } from '@accepted/shared/job/claim-ahead';
import pLimit from 'p-limit';

/** Lets so many handlers of a queue run at once, and says how many deliveries of it to take at once. */
export interface HandlerSlots {
  /** Runs `handler` when one of the slots is free. */
  run<Result>(handler: () => Promise<Result>): Promise<Result>;
  /** At least the slots; more while handlers are so quick that the next job should be here before one is free. */
  deliveriesAtOnce(): number;
}

/** The weight of the newest handler in the moving average. */
const SMOOTHING = 0.05;
/** What a handler is taken to need before any has been seen. */
const UNKNOWN_MS = 1_000;

export interface SlotOptions {
  slots: number;
  /** Whether jobs are claimed ahead at all: where a delivery costs the ledger's Postgres a transaction, it does not pay. */
  ahead: boolean;
}

export function createHandlerSlots(
  { slots, ahead }: SlotOptions,
  now: () => number = () => performance.now(),
): HandlerSlots {
  const limit = pLimit(slots);
  const startedAt = new Map<symbol, number>();
  let averageMs = UNKNOWN_MS;

  /** Handlers that have not ended count as well, or a queue that has become slow would not be noticed for long. */
  function handlerMs(): number {
    let runningMs = 0;
    for (const started of startedAt.values()) runningMs += now() - started;
    return Math.max(averageMs, runningMs / slots);
  }

  async function measured<Result>(handler: () => Promise<Result>): Promise<Result> {
    const key = Symbol();
    const started = now();
    startedAt.set(key, started);
    try {
      return await handler();
    } finally {
      startedAt.delete(key);
      averageMs += SMOOTHING * (now() - started - averageMs);
    }
  }

  return {
    run: (handler) => limit(() => measured(handler)),
    deliveriesAtOnce: () => slots + (ahead ? claimAhead(slots, handlerMs()) : 0),
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
