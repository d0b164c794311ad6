import { isQuick } from '@accepted/shared/core/fairness/tenant-share';

/** Measures how long the handlers of a queue take, type by type. */
export interface HandlerTimes {
  /** Tells that a handler of the type has begun; answers what to call when it has ended. */
  begin(type: string): () => void;
  /** A type that has hardly been seen is not. */
  isQuick(type: string): boolean;
  /** The types of which handlers have been running for so long that they are not quick, whatever others of the type took. */
  slowTypes(): string[];
}

/** The weight of the newest handler in the moving average. */
const SMOOTHING = 0.05;
/** What a handler is taken to need before any of its type has been seen. */
const UNKNOWN_MS = 1_000;

interface TypeTimes {
  averageMs: number;
  running: number;
  /** When those that run have begun, added up. */
  startedMs: number;
}

export function createHandlerTimes({ slots, now }: { slots: number; now: () => number }): HandlerTimes {
  const types = new Map<string, TypeTimes>();

  function timesOf(type: string): TypeTimes {
    const known = types.get(type);
    if (known) return known;
    const times = { averageMs: UNKNOWN_MS, running: 0, startedMs: 0 };
    types.set(type, times);
    return times;
  }

  /** Handlers that have not ended count as well, or a type that has become slow would not be noticed for long. */
  const isSlowNow = ({ running, startedMs }: TypeTimes) => !isQuick((running * now() - startedMs) / slots);

  return {
    begin(type) {
      const times = timesOf(type);
      const started = now();
      times.running += 1;
      times.startedMs += started;
      return () => {
        times.running -= 1;
        // Begun anew when it can be, or what is lost in adding up would add up itself.
        times.startedMs = times.running === 0 ? 0 : times.startedMs - started;
        times.averageMs += SMOOTHING * (now() - started - times.averageMs);
      };
    },
    isQuick(type) {
      const times = timesOf(type);
      return isQuick(times.averageMs) && !isSlowNow(times);
    },
    slowTypes: () => [...types].filter(([, times]) => isSlowNow(times)).map(([type]) => type),
  };
}
