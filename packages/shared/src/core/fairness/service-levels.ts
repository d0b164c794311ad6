/** What a tenant has waiting, and how many more come of it for each job of the queue that is started. */
export interface Demand {
  weight: number;
  jobs: number;
  perStart: number;
}

/** How many jobs have been started by a level: `jobs`, `perStart` for each start by then, and `weight` for each unit of the level. */
export interface StartedBy {
  jobs: number;
  perStart: number;
  weight: number;
}

/**
 * What the fair order comes to in the long run. All who wait have had the same service for their weights, the *level*; who waits no
 * more has what comes of it, and leaves the rest to the others.
 */
export interface ServiceLevels {
  /** The level once so many jobs have been started. */
  at(started: number): number;
  /** What all have been started by a level, but for the tenant at this place. */
  by(level: number, butFor?: number): StartedBy;
}

/** A tenant has nothing left that waits, and from then on the others rise faster. */
interface Turn extends StartedBy {
  level: number;
  started: number;
}

/** Those that end while so much more is started are taken to end at the pace of the first of them. */
const TOGETHER = 1.25;

export function createServiceLevels(demands: readonly Demand[]): ServiceLevels {
  const start = { jobs: 0, perStart: 0, weight: demands.reduce((sum, { weight }) => sum + weight, 0) };
  const turns: Turn[] = [{ ...start, level: 0, started: 0 }];
  const ends: number[] = demands.map(() => Number.POSITIVE_INFINITY);
  let waiting = [...demands.keys()];
  let last = turns[0] as Turn;
  while (true) {
    const next = nextToEnd(demands, waiting, last);
    if (next.length === 0) break;
    for (const { place, started } of next) {
      const level = levelAt(last, started);
      ends[place] = level;
      last = { ...without(last, demands[place] as Demand), level, started: Math.max(started, last.started) };
      turns.push(last);
    }
    waiting = waiting.filter((place) => ends[place] === Number.POSITIVE_INFINITY);
  }

  return {
    at: (started) =>
      levelAt(
        lastTurn(turns, started, (turn) => turn.started),
        started,
      ),
    by(level, butFor) {
      const { jobs, perStart, weight } = lastTurn(turns, level, (turn) => turn.level);
      const own = butFor === undefined ? undefined : demands[butFor];
      if (!own || butFor === undefined) return { jobs, perStart, weight };
      return (ends[butFor] ?? 0) <= level
        ? { jobs: jobs - own.jobs, perStart: perStart - own.perStart, weight }
        : { jobs, perStart, weight: weight - own.weight };
    },
  };
}

/** Answers who ends next, and those who do soon after: nobody where all have more coming than their share. */
function nextToEnd(demands: readonly Demand[], waiting: readonly number[], last: Turn) {
  const ends = waiting.map((place) => endOf(demands[place] as Demand, last));
  const first = ends.reduce((least, started) => Math.min(least, started), Number.POSITIVE_INFINITY);
  const together = first * TOGETHER;
  if (first === Number.POSITIVE_INFINITY) return [];
  return waiting
    .flatMap((place, at) => ((ends[at] ?? 0) <= together ? { place, started: ends[at] ?? 0 } : []))
    .sort((one, other) => one.started - other.started);
}

/** By how much the level rises for each start. */
const paceOf = ({ perStart, weight }: StartedBy) =>
  weight > EPSILON ? Math.max(0, 1 - perStart) / weight : 0;
const EPSILON = 1e-9;

function levelAt(turn: Turn, started: number): number {
  return turn.level + Math.max(0, started - turn.started) * paceOf(turn);
}

/** After how many starts nothing of a tenant waits any more. */
function endOf({ weight, jobs, perStart }: Demand, last: Turn): number {
  const pace = weight * paceOf(last);
  if (pace <= perStart + EPSILON) return Number.POSITIVE_INFINITY;
  const hadThen = weight * last.level - pace * last.started;
  return Math.max(last.started, (jobs - hadThen) / (pace - perStart));
}

function without(last: StartedBy, { weight, jobs, perStart }: Demand): StartedBy {
  return {
    jobs: last.jobs + jobs,
    perStart: last.perStart + perStart,
    weight: Math.max(0, last.weight - weight),
  };
}

/** The last of them that is not beyond a value; the first one never is. */
function lastTurn(turns: readonly Turn[], most: number, placeOf: (turn: Turn) => number): Turn {
  let [from, to] = [1, turns.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    if (placeOf(turns[middle] as Turn) <= most) from = middle + 1;
    else to = middle;
  }
  return turns[from - 1] as Turn;
}
