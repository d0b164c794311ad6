import { scaleLinear } from 'd3-scale';
import { curveStepAfter, line as linePath } from 'd3-shape';
import type { Evidence } from '../../checker/evidence.ts';
import { percentile } from '../../checker/verdict.ts';
import { recoveryTimesS } from '../series.ts';
import { drawFrame, line, lineMark, PLOT, path, text } from './frame.ts';

const BOUND_S = 15;
const BELOW = PLOT.height - PLOT.bottom;

/** Draws which share of the wiped jobs was claimed again after how long. `undefined` when nothing was wiped. */
export function drawRecovery(evidence: Evidence): string | undefined {
  const times = recoveryTimesS(evidence);
  if (times.length === 0) return undefined;
  const longest = times.at(-1) ?? 0;
  const x = scaleLinear([0, Math.max(longest, BOUND_S) * 1.04], [PLOT.left, PLOT.width - PLOT.right]);
  const y = scaleLinear([0, 1], [BELOW, PLOT.top + 12]);
  const draw = linePath<[number, number]>(
    ([s]) => x(s),
    ([, share]) => y(share),
  ).curve(curveStepAfter);
  const quantile = (share: number) => percentile(times, share);
  const frame = {
    title: `Claimed again after a wipe, ${evidence.run.engine} engine`,
    description: `Share of ${times.length} wiped jobs that were claimed again, by the seconds since their wipe: half after ${quantile(0.5).toFixed(1)}, 99 % after ${quantile(0.99).toFixed(1)}.`,
    legend: [
      {
        label: `${times.length.toLocaleString('en-US')} jobs of ${evidence.wipes.length} wipes`,
        mark: lineMark('line first'),
      },
      { label: 'bound of the p99', mark: lineMark('bound') },
    ],
    x: { scale: x, label: 'seconds since the wipe' },
    y: { scale: y, label: 'share of the jobs', write: (share: number) => `${Math.round(share * 100)} %` },
  };
  return drawFrame(frame, [
    line(x(BOUND_S), y(0), x(BOUND_S), y(1), 'bound'),
    path(draw([[0, 0], ...steps(times), [x.domain()[1] ?? BOUND_S, 1]]), 'line first'),
    ...[0.5, 0.99].flatMap((share) => markQuantile(quantile(share), share, x, y)),
  ]);
}

/** A point a percent is all that a curve of this size can show. */
function steps(times: number[]): [number, number][] {
  return Array.from({ length: 200 }, (_, index) => {
    const share = (index + 1) / 200;
    return [percentile(times, share), share];
  });
}

function markQuantile(
  s: number,
  share: number,
  x: (s: number) => number,
  y: (share: number) => number,
): string[] {
  const label = `p${Math.round(share * 100)}: ${s.toFixed(1)} s`;
  return [line(x(s), y(0), x(s), y(share), 'axis'), text(x(s) + 6, y(share / 2), label, 'small')];
}
