import type { Usual } from './usual-time.ts';

/** What a worker tells others of itself. */
export interface WorkPace {
  /** How long handlers usually take, by job type, where enough have been seen. */
  handlerMs: Readonly<Record<string, number>>;
  /** How long what comes waits for the event loop, on average. */
  loopLateMs: number;
}

/** What it knows of itself. */
export interface OwnPace {
  types: readonly (Usual & { type: string })[];
  loopLateMs: number;
}

/** Why a worker is slow, and how others are. */
export type Slowness = { ms: number; othersMs: number } & (
  | { of: 'handlers'; type: string }
  | { of: 'event loop' }
);

/** From when on a worker is slow. */
export interface SlownessBounds {
  /** So many times as slow as others. */
  factor: number;
  /** By so much at least: nobody is spared anything by what is less. */
  handlersByMs: number;
  loopLateMs: number;
  /** So many handlers of a type have to be seen. */
  handlers: number;
}

/**
 * Tells whether a worker is far slower than the others that work on the same types, and at what. Others are the median of those that have
 * run as many: what is slow everywhere, as a type whose handlers compute for long, or a service that they all ask, makes nobody slow.
 */
export function slownessOf(
  own: OwnPace,
  others: readonly WorkPace[],
  bounds: SlownessBounds,
): Slowness | undefined {
  const types = own.types.filter(({ count }) => count >= bounds.handlers);
  for (const { type, ms, surelyMs } of types) {
    const othersMs = median(others.flatMap((other) => handlerMsOf(other, type) ?? []));
    if (othersMs === undefined || surelyMs <= othersMs) continue;
    if (ms >= bounds.factor * othersMs && ms - othersMs >= bounds.handlersByMs)
      return { of: 'handlers', type, ms, othersMs };
  }
  const peers = others.filter((other) => types.some(({ type }) => handlerMsOf(other, type) !== undefined));
  const othersMs = median(peers.map(({ loopLateMs }) => loopLateMs));
  const ms = own.loopLateMs;
  if (othersMs === undefined || ms < bounds.loopLateMs || ms < bounds.factor * othersMs) return undefined;
  return { of: 'event loop', ms, othersMs };
}

/** A type may be called as what every object has. */
function handlerMsOf({ handlerMs }: WorkPace, type: string): number | undefined {
  return Object.hasOwn(handlerMs, type) ? handlerMs[type] : undefined;
}

function median(values: readonly number[]): number | undefined {
  const sorted = values.toSorted((one, other) => one - other);
  const middle = sorted.length / 2;
  const [lower, upper] = [sorted[Math.ceil(middle) - 1], sorted[Math.floor(middle)]];
  return lower === undefined || upper === undefined ? undefined : (lower + upper) / 2;
}

/** So many types are told of and asked for, those that its handlers have run most. */
const MOST_TYPES = 20;
/** Of fewer handlers nobody is told. */
const TOLD_FROM = 10;

/** Answers what others are told. */
export function toldPace({ types, loopLateMs }: OwnPace): WorkPace {
  const told = mostRun(types.filter(({ count }) => count >= TOLD_FROM));
  return { handlerMs: Object.fromEntries(told.map(({ type, ms }) => [type, ms])), loopLateMs };
}

/** Answers of which types it has to hear how long others take. */
export function comparedTypes({ types }: OwnPace, { handlers }: Pick<SlownessBounds, 'handlers'>): string[] {
  return mostRun(types.filter(({ count }) => count >= handlers)).map(({ type }) => type);
}

function mostRun(types: OwnPace['types']): OwnPace['types'] {
  return types.toSorted((one, other) => other.count - one.count).slice(0, MOST_TYPES);
}
