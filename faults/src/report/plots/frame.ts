import type { ScaleContinuousNumeric } from 'd3-scale';

/** A way from values to pixels. */
export type Scale = ScaleContinuousNumeric<number, number>;

export const PLOT = { width: 860, height: 340, left: 62, right: 24, top: 58, bottom: 44 };

export interface Frame {
  title: string;
  /** What the picture shows, for those who cannot see it. */
  description: string;
  height?: number;
  legend: { label: string; mark: string }[];
  x: { scale: Scale; label: string; ticks?: number[] };
  y: { scale: Scale; label: string; ticks?: number[]; write?: (value: number) => string };
}

/** Colours are told apart without hue as well, by lightness; both schemes have 3:1 at least against their ground. */
const STYLE = `
  text { font: 13px ui-sans-serif, system-ui, -apple-system, "Segoe UI", sans-serif; fill: #57606a; }
  .title { font-size: 16px; font-weight: 600; fill: #1f2328; }
  .ground { fill: #ffffff; }
  .grid { stroke: #d8dee4; stroke-width: 1; }
  .axis { stroke: #8c959f; stroke-width: 1; }
  .line { fill: none; stroke-width: 2; stroke-linejoin: round; }
  .first { stroke: #0969da; } .second { stroke: #bc4c00; }
  .first-area { fill: #0969da; fill-opacity: 0.14; }
  .fault { fill: #cf222e; } .band { fill: #cf222e; fill-opacity: 0.10; }
  .bound { stroke: #cf222e; stroke-width: 1.5; stroke-dasharray: 6 4; }
  .middle { text-anchor: middle; } .end { text-anchor: end; } .small { font-size: 12px; }
  @media (prefers-color-scheme: dark) {
    text { fill: #9198a1; } .title { fill: #e6edf3; }
    .ground { fill: #0d1117; } .grid { stroke: #2a313c; } .axis { stroke: #656c76; }
    .first { stroke: #58a6ff; } .second { stroke: #f0883e; } .first-area { fill: #58a6ff; }
    .fault { fill: #ff7b72; } .band { fill: #ff7b72; fill-opacity: 0.16; } .bound { stroke: #ff7b72; }
  }`;

/** Puts a plot's marks between its title, its axes and its legend; answers the whole SVG document. */
export function drawFrame(frame: Frame, marks: string[]): string {
  const height = frame.height ?? PLOT.height;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${PLOT.width} ${height}" role="img" aria-labelledby="title description">
  <title id="title">${escapeXml(frame.title)}</title>
  <desc id="description">${escapeXml(frame.description)}</desc>
  <style>${STYLE}
  </style>
  <rect class="ground" width="${PLOT.width}" height="${height}"/>
  ${[...axes(frame), ...marks, ...header(frame)].join('\n  ')}
</svg>
`;
}

export function text(x: number, y: number, value: string, classes = ''): string {
  return `<text x="${round(x)}" y="${round(y)}"${classes && ` class="${classes}"`}>${escapeXml(value)}</text>`;
}

export function line(x1: number, y1: number, x2: number, y2: number, classes: string): string {
  return `<line x1="${round(x1)}" y1="${round(y1)}" x2="${round(x2)}" y2="${round(y2)}" class="${classes}"/>`;
}

export function box(x: number, y: number, width: number, height: number, classes: string): string {
  return `<rect x="${round(x)}" y="${round(y)}" width="${round(width)}" height="${round(height)}" class="${classes}"/>`;
}

export function path(d: string | null, classes: string): string {
  return `<path d="${d ?? ''}" class="${classes}"/>`;
}

function axes({ x, y }: Frame): string[] {
  const [bottom = 0, top = 0] = y.scale.range();
  const ticks = y.ticks ?? y.scale.ticks(5);
  const write = y.write ?? ((value: number) => value.toLocaleString('en-US'));
  const right = PLOT.width - PLOT.right;
  return [
    ...ticks.flatMap((tick) => [
      line(PLOT.left, y.scale(tick), right, y.scale(tick), 'grid'),
      text(PLOT.left - 8, y.scale(tick) + 4, write(tick), 'end small'),
    ]),
    line(PLOT.left, bottom, right, bottom, 'axis'),
    ...(x.ticks ?? x.scale.ticks(8)).flatMap((tick) => [
      line(x.scale(tick), bottom, x.scale(tick), bottom + 4, 'axis'),
      text(x.scale(tick), bottom + 18, x.scale.tickFormat(8)(tick), 'middle small'),
    ]),
    text(right, bottom + 35, x.label, 'end small'),
    text(PLOT.left, top - 10, y.label, 'small'),
  ];
}

function header({ title, legend }: Frame): string[] {
  let x = PLOT.width - PLOT.right;
  const entries = legend.toReversed().flatMap(({ label, mark }) => {
    x -= label.length * 6.6;
    const entry = [text(x, 24, label, 'small'), `<g transform="translate(${round(x - 24)} 20)">${mark}</g>`];
    x -= 42;
    return entry;
  });
  return [text(PLOT.left, 25, title, 'title'), ...entries];
}

/** A short piece of a line, for the legend. */
export const lineMark = (classes: string) => line(0, 0, 18, 0, classes);
export const boxMark = (classes: string) => box(2, -6, 14, 12, classes);

function escapeXml(value: string): string {
  return value.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}

/** A tenth of a pixel is finer than anybody sees, and a third of the size. */
function round(value: number): number {
  return Math.round(value * 10) / 10;
}
