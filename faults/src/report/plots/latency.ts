import { scaleLinear, scaleLog } from 'd3-scale';
import { line as linePath } from 'd3-shape';
import type { Evidence } from '../../checker/evidence.ts';
import { traitsOf } from '../../kinds.ts';
import { acceptLatency, faultSpans, type Point } from '../series.ts';
import { box, boxMark, drawFrame, line, lineMark, PLOT, path } from './frame.ts';

const BOUND_MS = 250;
const BUCKET_S = 2;
const TOP = PLOT.top + 12;
const BELOW = PLOT.height - PLOT.bottom;

/** Draws how long a 202 took over the run, with the times in which Redis was away. */
export function drawLatency(evidence: Evidence): string {
  const median = acceptLatency(evidence, 0.5, BUCKET_S);
  const p99 = acceptLatency(evidence, 0.99, BUCKET_S);
  const values = [...median, ...p99].map((point) => point.value);
  const lastS = Math.max(1, ...p99.map((point) => point.s + BUCKET_S / 2));
  const x = scaleLinear([0, lastS], [PLOT.left, PLOT.width - PLOT.right]);
  const y = scaleLog([Math.max(1, Math.min(...values)), Math.max(BOUND_MS, ...values)], [BELOW, TOP]).nice();
  const draw = linePath<Point>(
    (point) => x(point.s),
    (point) => y(Math.max(1, point.value)),
  );
  const redisAway = faultSpans(evidence).filter(({ kind }) => traitsOf(kind).redisDown);
  const [least = 1, most = 1] = y.domain();
  const frame = {
    title: `Time to a 202, ${evidence.run.engine} engine`,
    description:
      'Median and 99th percentile of the time to a 202 over the run, with the times in which Redis was away.',
    legend: [
      { label: 'median', mark: lineMark('line first') },
      { label: 'p99', mark: lineMark('line second') },
      ...(redisAway.length > 0 ? [{ label: 'Redis away', mark: boxMark('band') }] : []),
      { label: `${BOUND_MS} ms`, mark: lineMark('bound') },
    ],
    x: { scale: x, label: 'seconds since the load began' },
    y: { scale: y, label: 'milliseconds', ticks: powersOfTen(least, most) },
  };
  return drawFrame(frame, [
    ...redisAway
      .filter((span) => span.fromS < lastS)
      .map(({ fromS, toS }) => {
        const right = x(Math.min(toS, lastS));
        return box(x(fromS), TOP, Math.max(2, right - x(fromS)), BELOW - TOP, 'band');
      }),
    line(PLOT.left, y(BOUND_MS), PLOT.width - PLOT.right, y(BOUND_MS), 'bound'),
    path(draw(p99), 'line second'),
    path(draw(median), 'line first'),
  ]);
}

function powersOfTen(least: number, most: number): number[] {
  const exponents = Array.from({ length: 8 }, (_, exponent) => 10 ** exponent);
  return exponents.filter((value) => value >= least && value <= most);
}
