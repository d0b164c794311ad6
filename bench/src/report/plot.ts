import { isDeepStrictEqual } from 'node:util';
import { box, line, text } from '@accepted/faults/report/plots/frame';
import { scaleLinear, scaleLog } from 'd3-scale';
import type { Measure } from '../measures/measure.ts';
import { type Row, titleOf, writeFigure } from './table.ts';

const WIDTH = 860;
const ROW_HEIGHT = 22;
/** Between rows of one variant and those of the next. */
const GAP = 10;
const TOP = 48;
const BOTTOM = 36;
const LABELS = 300;
const RIGHT = 80;
/** Below this a difference says nothing, and a logarithm has no zero. */
const LEAST_MS = 0.1;

/** Colours have 3:1 at least against their ground in both schemes; ours are told apart by lightness as well. */
const STYLE = `
  text { font: 13px ui-sans-serif, system-ui, -apple-system, "Segoe UI", sans-serif; fill: #57606a; }
  .title { font-size: 16px; font-weight: 600; fill: #1f2328; }
  .ground { fill: #ffffff; } .grid { stroke: #d8dee4; stroke-width: 1; }
  .ours { fill: #0969da; } .theirs { fill: #8c959f; }
  .spread { stroke: #1f2328; stroke-width: 1.5; }
  .end { text-anchor: end; } .middle { text-anchor: middle; } .small { font-size: 12px; }
  @media (prefers-color-scheme: dark) {
    text { fill: #9198a1; } .title { fill: #e6edf3; }
    .ground { fill: #0d1117; } .grid { stroke: #2a313c; }
    .ours { fill: #58a6ff; } .theirs { fill: #6e7681; } .spread { stroke: #e6edf3; }
  }`;

/**
 * Draws the main figure of a measure as an SVG document, a row a contender: a bar from zero where more is better, and a
 * dot on a logarithmic scale for times. The thin line spans the rounds.
 */
export function drawMeasure(measure: Measure, rows: readonly Row[]): string {
  const tops = placeRows(rows);
  const height = (tops.at(-1) ?? TOP) + ROW_HEIGHT + BOTTOM;
  const bottom = height - BOTTOM;
  const isTime = measure.mainFigure.endsWith('Ms');
  const x = scaleOf(rows, measure.mainFigure, isTime);
  const ticks = isTime ? powersOfTen(x.domain()) : x.ticks(5);
  const marks = [
    ...ticks.flatMap((tick) => [
      line(x(tick), TOP, x(tick), bottom, 'grid'),
      text(x(tick), bottom + 16, tick.toLocaleString('en-US'), 'middle small'),
    ]),
    ...rows.flatMap((row, index) => drawRow(row, measure.mainFigure, x, isTime, tops[index] ?? TOP)),
    text(WIDTH - RIGHT, bottom + 32, titleOf(measure.mainFigure), 'end small'),
  ];
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-labelledby="title description">
  <title id="title">${measure.title}</title>
  <desc id="description">${describe(rows, measure.mainFigure)}</desc>
  <style>${STYLE}
  </style>
  <rect class="ground" width="${WIDTH}" height="${height}"/>
  ${[text(12, 26, measure.title, 'title'), ...marks].join('\n  ')}
</svg>
`;
}

/** Puts rows below each other, with a gap where the variant changes. */
function placeRows(rows: readonly Row[]): number[] {
  let top = TOP;
  return rows.map(({ variant }, index) => {
    const before = rows[index - 1];
    if (before) top += ROW_HEIGHT + (isDeepStrictEqual(before.variant, variant) ? 0 : GAP);
    return top;
  });
}

type Scale = ReturnType<typeof scaleLinear<number, number>>;

function scaleOf(rows: readonly Row[], figure: string, isTime: boolean): Scale {
  const spreads = rows.flatMap((row) => row.figures[figure] ?? []);
  const most = Math.max(...spreads.map(({ max }) => max));
  const range = [LABELS, WIDTH - RIGHT];
  if (!isTime) return scaleLinear([0, most], range).nice();
  const least = Math.max(LEAST_MS, Math.min(...spreads.map(({ min }) => min)));
  return scaleLog([least, Math.max(most, least * 10)], range).nice() as unknown as Scale;
}

function drawRow(row: Row, figure: string, x: Scale, isTime: boolean, top: number): string[] {
  const spread = row.figures[figure];
  if (!spread) return [];
  const at = (value: number) => x(isTime ? Math.max(LEAST_MS, value) : value);
  const classes = row.contender.startsWith('accepted') ? 'ours' : 'theirs';
  const middle = top + ROW_HEIGHT / 2;
  const mark = isTime
    ? box(at(spread.median) - 4, middle - 4, 8, 8, classes)
    : box(LABELS, top + 4, at(spread.median) - LABELS, ROW_HEIGHT - 8, classes);
  return [
    text(LABELS - 8, middle + 4, row.label, 'end small'),
    mark,
    line(at(spread.min), middle, at(spread.max), middle, 'spread'),
    text(at(spread.max) + 8, middle + 4, writeFigure(spread.median), 'small'),
  ];
}

function describe(rows: readonly Row[], figure: string): string {
  const values = rows.flatMap(({ label, figures }) =>
    figures[figure] ? [`${label}: ${writeFigure(figures[figure].median)}`] : [],
  );
  return `${titleOf(figure)}. ${values.join('; ')}.`;
}

function powersOfTen([least = 1, most = 1]: number[]): number[] {
  const exponents = Array.from({ length: 8 }, (_, index) => 10 ** (index - 2));
  return exponents.filter((value) => value >= least && value <= most);
}
