import type { DispatchKey } from '@accepted/shared/core/job/dispatch-key';
import type { HandlerSlots } from './handler-slots.ts';

/**
 * How many jobs of a queue a worker has claimed at once, for each handler that may run. The next job of a quick handler
 * should be here when it ends; but if the process dies, each claimed job has lost an attempt.
 */
const CLAIMED_PER_SLOT = 10;

/** Runs all jobs of a delivery of `queue`; resolves when the last of them has ended. */
export type RunDelivery = (queue: string, delivery: DispatchKey[]) => Promise<void>;

/**
 * Makes the function that runs deliveries. While all handlers are taken, a job that has ended, or was released for want
 * of a slot, makes room for the next one only when another handler ends: otherwise a worker whose handlers have become
 * slow would claim and release jobs in circles.
 */
export function createDeliveryRunner(options: {
  slotsIn: (queue: string) => number;
  slotsOf: (queue: string) => Pick<HandlerSlots, 'turnover'>;
  runOne: (dispatch: DispatchKey) => Promise<void>;
}): RunDelivery {
  const { slotsIn, slotsOf, runOne } = options;
  const queues = new Map<string, Places>();

  function placesOf(queue: string): Places {
    const places = queues.get(queue) ?? createPlaces(CLAIMED_PER_SLOT * slotsIn(queue));
    queues.set(queue, places);
    return places;
  }

  async function runInPlace(
    places: Places,
    turnover: () => Promise<void>,
    dispatch: DispatchKey,
  ): Promise<void> {
    await places.take();
    try {
      await runOne(dispatch);
      await turnover();
    } finally {
      places.giveBack();
    }
  }

  return async (queue, delivery) => {
    const places = placesOf(queue);
    const { turnover } = slotsOf(queue);
    await Promise.all(delivery.map((dispatch) => runInPlace(places, turnover, dispatch)));
  };
}

/** So many places; whoever finds none waits for the next that is given back, in the order of coming. */
interface Places {
  take(): Promise<void> | undefined;
  giveBack(): void;
}

function createPlaces(places: number): Places {
  const waiting: (() => void)[] = [];
  let free = places;
  return {
    take() {
      if (free === 0) return new Promise((resolve) => waiting.push(resolve));
      free -= 1;
    },
    giveBack() {
      const next = waiting.shift();
      if (next) next();
      else free += 1;
    },
  };
}
