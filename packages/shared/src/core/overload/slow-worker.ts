import {
  comparedTypes,
  type OwnPace,
  type Slowness,
  type SlownessBounds,
  slownessOf,
  type WorkPace,
} from './slowness.ts';

/** What a worker takes from the engine: all that it can do, nothing, or a few jobs to see how long they take it now. */
export type Takes = 'all' | 'none' | 'few';

/** What a worker learns at a heartbeat. */
export interface Heard {
  own: OwnPace;
  /** How long `own` was looked at, since the last time: all of it where the machine stood still. */
  overMs: number;
  /** Whether handlers run here. */
  isBusy: boolean;
  others: readonly WorkPace[];
  /** Whether the ledger has it as slow; it takes a worker back that others cannot do without. */
  isMarked: boolean;
}

export type Step =
  /** It is to be marked in the ledger, which may say no. */
  | { do: 'mark'; why: Slowness }
  | { do: 'try' }
  | { do: 'restOn'; why: Slowness }
  | { do: 'goBack'; why: 'no longer slow' | 'nothing to do' | 'needed' };

/**
 * Follows a worker that judges itself by what it hears of others: it has been far slower than they for some heartbeats, rests, takes a few
 * jobs, and rests again, for longer each time, or takes all again.
 */
export interface SlowWorker {
  takes(): Takes;
  /** Of which types it has to hear how long others take, to judge itself. */
  comparedTypes(own: OwnPace): string[];
  hear(heard: Heard, nowMs: number): Step | undefined;
  /** The ledger has marked it. */
  marked(nowMs: number): void;
}

const FAR_SLOWER: SlownessBounds = { factor: 5, handlersByMs: 100, loopLateMs: 250, handlers: 10 };
/** It goes back only where it is nowhere near that. */
const SLOWER: SlownessBounds = { factor: 2.5, handlersByMs: 50, loopLateMs: 125, handlers: 3 };

/** In heartbeats. */
const SLOW_FOR = 3;
const REST_FOR = { least: 10, most: 100 };
/** Where nothing came for so long nothing speaks against it. */
const TRY_FOR = 10;
/** Who was well for so long rests for as short as the first time. */
const WELL_FOR = 200;

export function createSlowWorker(heartbeatMs: number): SlowWorker {
  let takes: Takes = 'all';
  let slowForMs = 0;
  let restMs = REST_FOR.least * heartbeatMs;
  /** Since when it takes what it does. */
  let sinceMs = Number.NEGATIVE_INFINITY;

  function change(to: Takes, nowMs: number): void {
    takes = to;
    sinceMs = nowMs;
    slowForMs = 0;
  }

  function goBack(why: (Step & { do: 'goBack' })['why'], nowMs: number): Step {
    change('all', nowMs);
    return { do: 'goBack', why };
  }

  function work({ own, overMs, others }: Heard): Step | undefined {
    const why = slownessOf(own, others, FAR_SLOWER);
    slowForMs = why ? slowForMs + overMs : 0;
    if (!why || slowForMs < SLOW_FOR * heartbeatMs) return undefined;
    slowForMs = 0;
    return { do: 'mark', why };
  }

  function tryOn({ own, others, isBusy }: Heard, nowMs: number): Step | undefined {
    const why = slownessOf(own, others, SLOWER);
    if (why) {
      restMs = Math.min(2 * restMs, REST_FOR.most * heartbeatMs);
      change('none', nowMs);
      return { do: 'restOn', why };
    }
    if (own.types.some(({ count }) => count >= SLOWER.handlers)) return goBack('no longer slow', nowMs);
    const isOver = nowMs - sinceMs >= TRY_FOR * heartbeatMs;
    return isOver && !isBusy ? goBack('nothing to do', nowMs) : undefined;
  }

  return {
    takes: () => takes,
    comparedTypes: (own) => comparedTypes(own, takes === 'all' ? FAR_SLOWER : SLOWER),
    hear(heard, nowMs) {
      if (takes === 'all') return work(heard);
      if (!heard.isMarked) return goBack('needed', nowMs);
      if (takes === 'few') return tryOn(heard, nowMs);
      if (nowMs - sinceMs < restMs) return undefined;
      change('few', nowMs);
      return { do: 'try' };
    },
    marked(nowMs) {
      const isAgain = nowMs - sinceMs < WELL_FOR * heartbeatMs;
      restMs = isAgain ? Math.min(2 * restMs, REST_FOR.most * heartbeatMs) : REST_FOR.least * heartbeatMs;
      change('none', nowMs);
    },
  };
}
