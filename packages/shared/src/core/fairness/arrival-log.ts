import type { ArrivingJob } from './wait-model.ts';

/** Jobs that have their turns one after the other. */
export interface ArrivalLine extends ArrivingJob {
  queue: string;
}

/** Remembers when how many jobs came of each line: exactly to a moment, and of times that are long ago less so. */
export interface ArrivalLog {
  note(line: ArrivalLine, nowMs: number): void;
  /** How many have come after a moment. */
  since(line: ArrivalLine, thenMs: number): number;
  /** Which lines of a queue jobs have come of since a moment, and how many a second. */
  pace(queue: string, thenMs: number, nowMs: number): (ArrivingJob & { perSecond: number })[];
  /** What came earlier may not be in it. */
  isCompleteSince(thenMs: number): boolean;
}

const RESOLUTION_MS = 50;
const MOST_POINTS = 256;
/** The latest of them stay as they are where others are thinned out. */
const KEPT_POINTS = 64;
const MOST_LINES = 2_000;
/** Over less nothing is to be seen of a pace. */
const LEAST_PACE_MS = 500;

/** How many had come by when. */
interface Line extends ArrivalLine {
  atMs: number[];
  totals: number[];
  total: number;
}

export function createArrivalLog(nowMs: number): ArrivalLog {
  const lines = new Map<string, Line>();
  let completeSinceMs = nowMs;

  const keyOf = ({ tenantId, priority, queue }: ArrivalLine) => `${tenantId} ${priority} ${queue}`;

  function lineOf({ tenantId, priority, queue }: ArrivalLine, now: number): Line {
    const key = keyOf({ tenantId, priority, queue });
    const known = lines.get(key);
    if (known) return known;
    const [eldest] = lines.keys();
    if (lines.size >= MOST_LINES && eldest !== undefined) {
      lines.delete(eldest);
      completeSinceMs = now;
    }
    const line = { tenantId, priority, queue, atMs: [], totals: [], total: 0 };
    lines.set(key, line);
    return line;
  }

  return {
    note(arrival, now) {
      const line = lineOf(arrival, now);
      line.total += 1;
      const last = line.atMs.length - 1;
      if (now - (line.atMs[last] ?? Number.NEGATIVE_INFINITY) < RESOLUTION_MS) {
        line.totals[last] = line.total;
        return;
      }
      line.atMs.push(now);
      line.totals.push(line.total);
      if (line.atMs.length > MOST_POINTS) thinOut(line);
    },
    since(arrival, then) {
      const line = lines.get(keyOf(arrival));
      return line ? line.total - totalAt(line, then) : 0;
    },
    pace(queue, then, now) {
      const overMs = Math.max(LEAST_PACE_MS, now - Math.max(then, completeSinceMs));
      return [...lines.values()].flatMap((line) => {
        const jobs = line.queue === queue ? line.total - totalAt(line, now - overMs) : 0;
        const { tenantId, priority } = line;
        return jobs > 0 ? [{ tenantId, priority, perSecond: (jobs / overMs) * 1_000 }] : [];
      });
    },
    isCompleteSince: (then) => then >= completeSinceMs,
  };
}

/** Leaves out every other one of the old ones: what came between them is in the next. */
function thinOut(line: Line): void {
  const recent = line.atMs.length - KEPT_POINTS;
  const isKept = (_: number, place: number) => place >= recent || place % 2 === 0;
  line.atMs = line.atMs.filter(isKept);
  line.totals = line.totals.filter(isKept);
}

function totalAt({ atMs, totals }: Line, then: number): number {
  let [from, to] = [0, atMs.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    if ((atMs[middle] ?? 0) <= then) from = middle + 1;
    else to = middle;
  }
  const before = totals[from - 1] ?? 0;
  const beganMs = atMs[from - 1];
  const endedMs = atMs[from];
  if (beganMs === undefined || endedMs === undefined) return before;
  return before + ((totals[from] ?? 0) - before) * ((then - beganMs) / (endedMs - beganMs));
}
