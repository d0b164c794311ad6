import { isTerminal } from '@accepted/shared/core/job/status';
import { scaleLinear } from 'd3-scale';
import { area, line as linePath } from 'd3-shape';
import type { Evidence } from '../../checker/evidence.ts';
import { faultSpans, type Point, perSecond, type Span, smooth } from '../series.ts';
import { box, boxMark, drawFrame, line, lineMark, PLOT, path, text } from './frame.ts';

/** Faults are drawn in one lane for each thing that they hit, in this order. */
const LANES = ['worker', 'api', 'redis', 'postgres', 'handler', 'receiver'];
const LANE_HEIGHT = 15;
const SMOOTHED_OVER_S = 3;

/** Draws jobs acknowledged and finished per second, above the faults that were under way. */
export function drawThroughput(evidence: Evidence): string {
  const { run, acks, jobs } = evidence;
  const accepted = acks.filter((ack) => ack.outcome === 'accepted' && ack.final).map((ack) => ack.at);
  const ended = jobs.flatMap(({ status, finishedAt }) =>
    finishedAt !== null && isTerminal(status) ? [finishedAt] : [],
  );
  const acknowledged = smooth(perSecond(accepted, run.loadStartedAt), SMOOTHED_OVER_S);
  const finished = smooth(perSecond(ended, run.loadStartedAt), SMOOTHED_OVER_S);
  const spans = faultSpans(evidence);
  const lanes = LANES.filter((lane) => spans.some((span) => laneOf(span) === lane));
  const height = PLOT.height + lanes.length * LANE_HEIGHT + 10;
  const lastS = Math.max(1, ...[...acknowledged, ...finished].map((point) => point.s));
  const most = Math.max(1, ...[...acknowledged, ...finished].map((point) => point.value));
  const x = scaleLinear([0, lastS], [PLOT.left, PLOT.width - PLOT.right]);
  const y = scaleLinear([0, most], [PLOT.height - PLOT.bottom, PLOT.top + 12]).nice();
  const draw = linePath<Point>(
    (point) => x(point.s),
    (point) => y(point.value),
  );
  const fill = area<Point>(
    (point) => x(point.s),
    y(0),
    (point) => y(point.value),
  );
  const frame = {
    title: `${spans.length} faults under load, ${run.engine} engine`,
    description:
      'Jobs acknowledged and jobs finished per second over the run, above the faults that were under way, by what they hit.',
    height,
    legend: [
      { label: 'acknowledged', mark: lineMark('line second') },
      { label: 'finished', mark: lineMark('line first') },
      { label: 'fault', mark: boxMark('fault') },
    ],
    x: { scale: x, label: 'seconds since the load began' },
    y: { scale: y, label: 'jobs per second' },
  };
  return drawFrame(frame, [
    path(fill(finished), 'first-area'),
    path(draw(finished), 'line first'),
    path(draw(acknowledged), 'line second'),
    ...lanes.flatMap((lane, index) => drawLane(lane, spans, x, PLOT.height + index * LANE_HEIGHT)),
  ]);
}

function drawLane(lane: string, spans: Span[], x: (s: number) => number, top: number): string[] {
  const middle = top + LANE_HEIGHT / 2;
  const right = PLOT.width - PLOT.right;
  return [
    text(PLOT.left - 8, middle + 4, lane, 'end small'),
    line(PLOT.left, middle, right, middle, 'grid'),
    ...spans
      .filter((span) => laneOf(span) === lane)
      .map((span) => {
        const from = Math.min(x(span.fromS), right);
        return box(from, top + 2, Math.max(2, Math.min(x(span.toS), right) - from), LANE_HEIGHT - 4, 'fault');
      }),
  ];
}

/** What a fault hits is the first word of its kind; a deploy hits the workers, a wipe of the Postgres engine Postgres. */
function laneOf({ kind }: Span): string {
  const first = kind.split('-')[0] ?? '';
  if (first === 'rolling') return 'worker';
  return first === 'engine' ? 'postgres' : first;
}
