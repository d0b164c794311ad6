import { createRounds } from '@accepted/shared/core/fairness/rounds';

/** What requests may take of the event loop before it looks at the network again. */
export interface SliceBounds {
  ms: number;
  /** What goes on after its turn, in the same turn of the event loop, takes no time that could be measured. */
  count: number;
}

/** Lets requests begin: at once while there are few, and client by client when there are more. */
export interface Turns {
  /** `begin` is told for how many milliseconds it waited. */
  take(client: string, begin: (waitedMs: number) => void): void;
}

interface Waiting {
  begin: (waitedMs: number) => void;
  sinceMs: number;
}

/**
 * Makes turns. A client that sends a thousand requests at once, or waits for a thousand answers that come at once, has its
 * turn as often as one that sends one: without it, whoever comes behind them waits for all of them.
 */
export function createTurns(slice: SliceBounds): Turns {
  const waiting = createRounds<Waiting>();
  let spentMs = 0;
  let begun = 0;
  let isScheduled = false;

  const isUsedUp = () => spentMs >= slice.ms || begun >= slice.count;

  function run({ begin, sinceMs }: Waiting, startedAtMs: number): void {
    begin(startedAtMs - sinceMs);
    spentMs += performance.now() - startedAtMs;
    begun += 1;
  }

  function startSlice(): void {
    isScheduled = false;
    spentMs = 0;
    begun = 0;
    while (!isUsedUp()) {
      const next = waiting.next();
      if (!next) return;
      run(next, performance.now());
    }
    schedule();
  }

  function schedule(): void {
    if (isScheduled) return;
    isScheduled = true;
    setImmediate(startSlice);
  }

  return {
    take(client, begin) {
      schedule();
      const sinceMs = performance.now();
      if (waiting.isEmpty() && !isUsedUp()) run({ begin, sinceMs }, sinceMs);
      else waiting.add(client, { begin, sinceMs });
    },
  };
}
