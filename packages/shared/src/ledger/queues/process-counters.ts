import type { Database } from '../connection/connect.ts';
import { addToCounters, type CounterIncrement } from './counters.ts';

/** Counts what happens in this process until it is taken away to the ledger. */
export interface ProcessCounters<Name extends string> {
  add(name: Name, queue: string, by?: number, label?: string): void;
  /** Takes everything that was counted since the last time. */
  take(): CounterIncrement[];
  /**
   * Adds what was counted to the totals in the ledger. What cannot be added stays; where a commit was not answered it may count twice.
   */
  flush(db: Database): Promise<void>;
}

export function createProcessCounters<Name extends string>(): ProcessCounters<Name> {
  let counted = new Map<string, CounterIncrement>();

  function add({ name, queue, label, by }: CounterIncrement): void {
    if (by === 0) return;
    // Its length tells where the name of the queue ends, whatever that and the label are.
    const key = `${name} ${queue.length} ${queue}${label}`;
    const earlier = counted.get(key);
    if (earlier) earlier.by += by;
    else counted.set(key, { name, queue, label, by });
  }

  function take(): CounterIncrement[] {
    const taken = [...counted.values()];
    counted = new Map();
    return taken;
  }

  return {
    add: (name, queue, by = 1, label = '') => add({ name, queue, label, by }),
    take,
    async flush(db) {
      const taken = take();
      try {
        await addToCounters(db, taken);
      } catch (error) {
        for (const increment of taken) add(increment);
        throw error;
      }
    },
  };
}
