import { drawFrame, lineMark, PLOT, path, text } from '@accepted/faults/report/plots/frame';
import { scaleLinear, scaleLog } from 'd3-scale';
import { line as linePath } from 'd3-shape';
import { writeFigure } from '../report/table.ts';
import type { OfferedTimes, WorkersOverloaded } from './measure-workers.ts';

const RIGHT = PLOT.width - PLOT.right;
const BOTTOM = PLOT.height - PLOT.bottom;
const TOP = PLOT.top + 12;
const LEAST_MS = 1;

/** Draws how long accepted jobs wait for their start, over what is offered. */
export function drawStarts(all: readonly WorkersOverloaded[]): string {
  const seconds = ({ startP99Ms }: OfferedTimes) => Math.max(LEAST_MS, startP99Ms) / 1_000;
  const times = all[0]?.steps.map((step) => step.times) ?? [];
  const x = scaleLog([Math.min(...times), Math.max(...times)], [PLOT.left, RIGHT]);
  const values = all.flatMap(({ steps }) => steps.map(seconds));
  const y = scaleLog([Math.min(...values), Math.max(...values)], [BOTTOM, TOP]).nice();
  const curve = linePath<OfferedTimes>(
    (step) => x(step.times),
    (step) => y(seconds(step)),
  );
  const frame = {
    title: 'Until an accepted job starts',
    description: all.map(describe('p99 in seconds', seconds)).join(' '),
    legend: [
      { label: 'Accepted, with a bound of two seconds', mark: lineMark('line first') },
      { label: 'others', mark: lineMark('line second') },
    ],
    x: { scale: x, label: 'offered, in times of what the workers can do', ticks: times },
    y: {
      scale: y,
      label: 's, p99',
      ticks: [0.01, 0.1, 1, 10, 100].filter((tick) => isWithin(y.domain(), tick)),
    },
  };
  return drawFrame(frame, all.flatMap(marksWith(curve, (step) => y(seconds(step)))));
}

/** Draws how many jobs are started a second, over what is offered. */
export function drawGoodput(all: readonly WorkersOverloaded[]): string {
  const times = all[0]?.steps.map((step) => step.times) ?? [];
  const x = scaleLog([Math.min(...times), Math.max(...times)], [PLOT.left, RIGHT]);
  const rate = ({ startedPerSecond }: OfferedTimes) => startedPerSecond;
  const most = Math.max(...all.flatMap(({ steps }) => steps.map(rate)));
  const y = scaleLinear([0, most], [BOTTOM, TOP]).nice();
  const curve = linePath<OfferedTimes>(
    (step) => x(step.times),
    (step) => y(rate(step)),
  );
  const frame = {
    title: 'Jobs started a second',
    description: all.map(describe('jobs a second', rate)).join(' '),
    legend: [
      { label: 'Accepted', mark: lineMark('line first') },
      { label: 'others', mark: lineMark('line second') },
    ],
    x: { scale: x, label: 'offered, in times of what the workers can do', ticks: times },
    y: { scale: y, label: 'jobs/s' },
  };
  return drawFrame(frame, all.flatMap(marksWith(curve, (step) => y(rate(step)))));
}

function marksWith(
  curve: (steps: OfferedTimes[]) => string | null,
  top: (step: OfferedTimes) => number,
): (one: WorkersOverloaded) => string[] {
  return ({ contender, steps }) => {
    const last = steps.at(-1);
    const classes = contender.startsWith('accepted') ? 'line first' : 'line second';
    const name = last ? [text(RIGHT - 4, top(last) - 8, contender, 'end small')] : [];
    return [path(curve(steps), classes), ...name];
  };
}

const isWithin = ([least = 0, most = 0]: number[], value: number) => value >= least && value <= most;

const describe =
  (what: string, of: (step: OfferedTimes) => number) =>
  ({ contender, steps }: WorkersOverloaded) =>
    `${contender}, ${what}: ${steps.map((step) => `${step.times} × ${writeFigure(of(step))}`).join(', ')}.`;
