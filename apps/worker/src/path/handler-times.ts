import { isQuick } from '@accepted/shared/core/fairness/tenant-share';
import { createUsualTime, type Usual, type UsualTime } from '@accepted/shared/core/overload/usual-time';

/** Measures how long the handlers of a queue take, type by type. */
export interface HandlerTimes {
  /** Tells that a handler of the type has begun; answers what to call when it has ended. */
  begin(type: string): () => void;
  /** A type that has hardly been seen is not. */
  isQuick(type: string): boolean;
  /** The types of which handlers have been running for so long that they are not quick, whatever others of the type took. */
  slowTypes(): string[];
  /** How long handlers of each type usually take. */
  usual(): (Usual & { type: string })[];
  /** Has only those count as usual that begin from now on. */
  forget(): void;
  /** Whether one of those runs. */
  isBusy(): boolean;
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
  usual: UsualTime;
  /** Those that run and count as usual. */
  begun: Set<{ startedMs: number }>;
}

export function createHandlerTimes({ slots, now }: { slots: number; now: () => number }): HandlerTimes {
  const types = new Map<string, TypeTimes>();

  function timesOf(type: string): TypeTimes {
    const known = types.get(type);
    if (known) return known;
    const usual = createUsualTime();
    const times: TypeTimes = { averageMs: UNKNOWN_MS, running: 0, startedMs: 0, usual, begun: new Set() };
    types.set(type, times);
    return times;
  }

  /** Handlers that have not ended count as well, or a type that has become slow would not be noticed for long. */
  const isSlowNow = ({ running, startedMs }: TypeTimes) => !isQuick((running * now() - startedMs) / slots);

  return {
    begin(type) {
      const times = timesOf(type);
      const started = now();
      const own = { startedMs: started };
      times.begun.add(own);
      times.running += 1;
      times.startedMs += started;
      return () => {
        times.running -= 1;
        // Begun anew when it can be, or what is lost in adding up would add up itself.
        times.startedMs = times.running === 0 ? 0 : times.startedMs - started;
        const endedMs = now();
        times.averageMs += SMOOTHING * (endedMs - started - times.averageMs);
        if (times.begun.delete(own)) times.usual.add(endedMs - started, endedMs);
      };
    },
    isQuick(type) {
      const times = timesOf(type);
      return isQuick(times.averageMs) && !isSlowNow(times);
    },
    usual() {
      const nowMs = now();
      return [...types].map(([type, { usual, begun }]) => {
        const running = [...begun].map(({ startedMs }) => nowMs - startedMs);
        return { type, ...usual.read(running, nowMs) };
      });
    },
    forget() {
      for (const { usual, begun } of types.values()) {
        begun.clear();
        usual.forget();
      }
    },
    isBusy: () => types.values().some(({ begun }) => begun.size > 0),
    slowTypes: () => [...types].filter(([, times]) => isSlowNow(times)).map(([type]) => type),
  };
}
