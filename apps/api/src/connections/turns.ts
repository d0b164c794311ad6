import { createRounds } from '@accepted/shared/core/fairness/rounds';
import { createSlices, type SliceBounds } from './slices.ts';

/** Lets requests go on: at once while there are few, and client by client when there are more. */
export interface Turns {
  take(client: string, begin: () => void): void;
}

/**
 * Makes turns. A client that sends a thousand requests at once, or waits for a thousand answers that come at once, has its
 * turn as often as one that sends one: without it, whoever comes behind them waits for all of them.
 */
export function createTurns(slice: SliceBounds): Turns {
  const waiting = createRounds<() => void>();
  const slices = createSlices(slice, () => {
    while (!slices.isUsedUp()) {
      const begin = waiting.next();
      if (!begin) return;
      slices.run(begin);
    }
  });

  return {
    take(client, begin) {
      slices.schedule();
      if (waiting.isEmpty() && !slices.isUsedUp()) slices.run(begin);
      else waiting.add(client, begin);
    },
  };
}
