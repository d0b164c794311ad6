import { isQuick } from '@accepted/shared/core/fairness/tenant-share';

/** Measures how long the handlers of a queue take, type by type. */
export interface HandlerTimes {
  /** Tells that a handler of the type has begun; answers what to call when it has ended. */
  begin(type: string): () => void;
  isQuick(type: string): boolean;
  /** The types whose handlers are quick; one that has hardly been seen is not. */
  quickTypes(): string[];
  /** How long handlers of the queue have been taking of late: quick ones, while there are any. */
  handlerMs(): number;
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
  let averageMs = UNKNOWN_MS;
  let quickAverageMs: number | undefined;

  function timesOf(type: string): TypeTimes {
    const known = types.get(type);
    if (known) return known;
    const times = { averageMs: UNKNOWN_MS, running: 0, startedMs: 0 };
    types.set(type, times);
    return times;
  }

  const runningMs = ({ running, startedMs }: TypeTimes) => running * now() - startedMs;

  /** Handlers that have not ended count as well, or a type that has become slow would not be noticed for long. */
  const isQuickNow = (times: TypeTimes) => isQuick(Math.max(times.averageMs, runningMs(times) / slots));

  function end(times: TypeTimes, tookMs: number): void {
    times.averageMs = follow(times.averageMs, tookMs);
    averageMs = follow(averageMs, tookMs);
    if (isQuick(times.averageMs)) quickAverageMs = follow(quickAverageMs ?? times.averageMs, tookMs);
  }

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
        end(times, now() - started);
      };
    },
    isQuick: (type) => isQuickNow(timesOf(type)),
    quickTypes: () => [...types].filter(([, times]) => isQuickNow(times)).map(([type]) => type),
    handlerMs() {
      const all = [...types.values()];
      if (quickAverageMs !== undefined && all.some(isQuickNow)) return quickAverageMs;
      return Math.max(averageMs, all.reduce((sum, times) => sum + runningMs(times), 0) / slots);
    },
  };
}

function follow(average: number, newest: number): number {
  return average + SMOOTHING * (newest - average);
}
