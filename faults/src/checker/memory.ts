import type { MemoryLine } from '../logs.ts';
import type { Evidence } from './evidence.ts';
import { groupBy, type Verdict } from './verdict.ts';

const HOUR_MS = 3_600_000;
const MB = 1_048_576;
/** A younger process is still warming up: what it grows by says nothing. */
const LEAST_AGE_MS = 20 * 60_000;
/**
 * V8 gives much of its first heap back and then finds its size anew: in a soak the APIs fell from 305 to 160 MB within
 * minutes of their start and stood at 257 from the 18th minute on. A line through that says more than any leak.
 */
const WARM_UP_SHARE = 0.5;
const MOST_MB_PER_HOUR = 48;

/** A soak: no process that lives long grows without end. Shorter runs have no process that is old enough to tell. */
export function checkMemory({ memory, run }: Evidence): Verdict {
  const slopes = [...groupBy(memory, (line) => `${line.name} (pid ${line.pid})`)].flatMap(([name, lines]) => {
    const slope = mbPerHour(lines);
    return slope === undefined ? [] : [{ name, slope }];
  });
  const steepest = Math.max(0, ...slopes.map(({ slope }) => slope));
  const isVacuous = run.size === 'soak' && slopes.length === 0;
  return {
    id: 'Memory',
    holds: 'No process grows without end.',
    figures: { processesMeasured: slopes.length, steepestMbPerHour: Math.round(steepest * 10) / 10 },
    violations: isVacuous
      ? ['No process lived for long enough: the soak proves nothing of memory.']
      : slopes
          .filter(({ slope }) => slope > MOST_MB_PER_HOUR)
          .map(({ name, slope }) => `${name} grows by ${Math.round(slope)} MB an hour.`),
  };
}

/** Answers the slope of the line of least squares through the samples after the warm-up. */
export function mbPerHour(lines: MemoryLine[]): number | undefined {
  const from = lines[0]?.at ?? 0;
  const age = (lines.at(-1)?.at ?? 0) - from;
  if (age < LEAST_AGE_MS) return undefined;
  const points = lines
    .filter((line) => line.at >= from + age * WARM_UP_SHARE)
    .map((line) => ({ x: (line.at - from) / HOUR_MS, y: line.rssBytes / MB }));
  const meanX = points.reduce((sum, { x }) => sum + x, 0) / points.length;
  const meanY = points.reduce((sum, { y }) => sum + y, 0) / points.length;
  const spread = points.reduce((sum, { x }) => sum + (x - meanX) ** 2, 0);
  return points.reduce((sum, { x, y }) => sum + (x - meanX) * (y - meanY), 0) / spread;
}
