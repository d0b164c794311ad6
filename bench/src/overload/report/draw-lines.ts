import { drawFrame, line, lineMark, PLOT, path, type Scale, text } from '@accepted/faults/report/plots/frame';
import { scaleLinear, scaleLog } from 'd3-scale';
import { line as linePath } from 'd3-shape';
import { writeFigure } from '../../report/table.ts';

type Point = readonly [x: number, y: number];

export interface Series {
  label: string;
  points: readonly Point[];
  /** What the picture is about, and what stands beside it. */
  isMain: boolean;
}

export interface LinePlot {
  title: string;
  x: { label: string; ticks?: number[]; isLog?: boolean };
  y: { label: string; isLog?: boolean };
  series: readonly Series[];
  /** What is not to be exceeded, or to be reached. */
  bound?: { label: string; value: number };
  /** A stretch of time in which something is otherwise. */
  during?: { label: string; from: number; to: number };
}

const RIGHT = PLOT.width - PLOT.right;
const BOTTOM = PLOT.height - PLOT.bottom;
const TOP = PLOT.top + 12;
/** A logarithm has no zero. */
const LEAST = 0.001;
/** Names at the ends of lines are so far apart. */
const LABEL_HEIGHT = 14;

/** A point a second, from 0 on. */
export function pointsBySecond(values: readonly number[]): Point[] {
  return values.map((value, second) => [second, value]);
}

/** Draws lines with their names at their ends; answers the SVG. */
export function drawLines(plot: LinePlot): string {
  const { title, series, bound, during } = plot;
  const xs = series.flatMap(({ points }) => points.map(([x]) => x));
  const ys = [...series.flatMap(({ points }) => points.map(([, y]) => y)), ...(bound ? [bound.value] : [])];
  const x = scaleOf(
    plot.x.isLog ? Math.min(...xs) : Math.min(0, ...xs),
    Math.max(...xs),
    [PLOT.left, RIGHT],
    plot.x,
  );
  const y = scaleOf(plot.y.isLog ? Math.min(...ys) : 0, Math.max(...ys), [BOTTOM, TOP], plot.y).nice();
  const at = (value: number) => y(plot.y.isLog ? Math.max(LEAST, value) : value);
  const curve = linePath<Point>(
    ([place]) => x(place),
    ([, value]) => at(value),
  );
  const frame = {
    title,
    description: series.map(describe).join(' '),
    legend: [
      ...(bound ? [{ label: bound.label, mark: lineMark('bound') }] : []),
      ...(during
        ? [{ label: during.label, mark: `<rect class="band" x="2" y="-6" width="14" height="12"/>` }]
        : []),
    ],
    x: { scale: x, label: plot.x.label, ...(plot.x.ticks && { ticks: plot.x.ticks }) },
    y: { scale: y, label: plot.y.label, ...(plot.y.isLog && { ticks: powersOfTen(y.domain()) }) },
  };
  return drawFrame(frame, [
    ...(during ? [band(x(during.from), x(during.to))] : []),
    ...(bound ? [line(PLOT.left, at(bound.value), RIGHT, at(bound.value), 'bound')] : []),
    ...series.map(({ points, isMain }) => path(curve([...points]), `line ${isMain ? 'first' : 'second'}`)),
    ...names(series, (value) => at(value)),
  ]);
}

function scaleOf(
  least: number,
  most: number,
  range: [number, number],
  { isLog = false }: { isLog?: boolean },
): Scale & { nice(): Scale } {
  if (!isLog) return scaleLinear([least, Math.max(most, least + LEAST)], range);
  const from = Math.max(LEAST, least);
  return scaleLog([from, Math.max(most, from * 10)], range) as unknown as Scale & { nice(): Scale };
}

function band(from: number, to: number): string {
  return `<rect x="${from.toFixed(1)}" y="${TOP}" width="${(to - from).toFixed(1)}" height="${BOTTOM - TOP}" class="band"/>`;
}

/** Each above its line's end, and none over another. */
function names(series: readonly Series[], at: (value: number) => number): string[] {
  const placed = series
    .map(({ label, points }) => ({ label, top: at(points.at(-1)?.[1] ?? 0) - 8 }))
    .sort((a, b) => a.top - b.top);
  let least = TOP + 4;
  for (const name of placed) {
    name.top = Math.max(name.top, least);
    least = name.top + LABEL_HEIGHT;
  }
  let most = BOTTOM - 4;
  for (const name of placed.toReversed()) {
    name.top = Math.min(name.top, most);
    most = name.top - LABEL_HEIGHT;
  }
  return placed.map(({ label, top }) => text(RIGHT - 4, top, label, 'end small'));
}

function describe({ label, points }: Series): string {
  return `${label}: ${points.map(([x, y]) => `${writeFigure(x)}: ${writeFigure(y)}`).join(', ')}.`;
}

function powersOfTen([least = 1, most = 1]: number[]): number[] {
  return Array.from({ length: 10 }, (_, index) => 10 ** (index - 3)).filter(
    (value) => value >= least * 0.999 && value <= most * 1.001,
  );
}
