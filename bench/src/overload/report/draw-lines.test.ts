import { expect, test } from 'vitest';
import { drawLines, type LinePlot } from './draw-lines.ts';

const plot: LinePlot = {
  title: 'Jobs a second',
  x: { label: 'seconds' },
  y: { label: 'jobs/s' },
  series: [
    {
      label: 'ours',
      isMain: true,
      points: [
        [0, 10],
        [1, 20],
      ],
    },
    {
      label: 'theirs',
      isMain: false,
      points: [
        [0, 10],
        [1, 20],
      ],
    },
  ],
};

test('a picture says in words what it shows, and names its lines', () => {
  const svg = drawLines(plot);
  expect(svg).toContain('ours: 0: 10, 1: 20.');
  expect(svg).toContain('>theirs</text>');
});

test('names of lines that end at the same place do not lie on each other', () => {
  const svg = drawLines(plot);
  const heights = ['ours', 'theirs'].map((label) =>
    Number(svg.match(new RegExp(`y="([\\d.]+)"[^>]*>${label}<`))?.[1]),
  );
  expect(Math.abs((heights[0] ?? 0) - (heights[1] ?? 0))).toBeGreaterThanOrEqual(14);
});

test('zeros, one point and a bound can be drawn, on either scale', () => {
  const series = [{ label: 'none', isMain: true, points: [[0.5, 0]] as const }];
  for (const isLog of [false, true]) {
    const scale = { label: '', isLog };
    const svg = drawLines({
      ...{ title: 'None', x: scale, y: scale, series, bound: { label: 'bound', value: 3 } },
      during: { label: 'meanwhile', from: 0.5, to: 0.6 },
    });
    expect(svg).not.toMatch(/NaN|Infinity/);
    expect(svg).toContain('class="band"');
  }
});
