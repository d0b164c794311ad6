import { expect, test } from 'vitest';
import { accept } from '../measures/accept.ts';
import { pickUp } from '../measures/pick-up.ts';
import { drawMeasure } from './plot.ts';
import type { Row } from './table.ts';

const row = (figure: string, median: number): Row => ({
  contender: 'accepted-redis',
  label: 'Accepted',
  variant: {},
  figures: { [figure]: { median, min: median / 2, max: median * 2 } },
});

test('a throughput is a bar from zero, a time a mark on a logarithmic scale', () => {
  const width = (svg: string) => Number(svg.match(/width="([\d.]+)" height="[\d.]+" class="ours"/)?.[1]);
  const slow = drawMeasure(accept, [row('jobsPerSecond', 50), row('jobsPerSecond', 100)]);
  expect(width(slow)).toBeGreaterThan(100);
  expect(width(drawMeasure(pickUp, [row('p50Ms', 6)]))).toBe(8);
});

test('rows of another variant stand apart', () => {
  const height = (rows: Row[]) => Number(drawMeasure(pickUp, rows).match(/viewBox="0 0 860 (\d+)"/)?.[1]);
  const alike = row('p50Ms', 6);
  const apart = { ...alike, variant: { workers: 2 } };
  expect(height([alike, apart]) - height([alike, alike])).toBe(10);
});

test('the picture says in words what it shows', () => {
  expect(drawMeasure(pickUp, [row('p50Ms', 6)])).toContain('p50 ms. Accepted: 6.');
});

test('a time of zero can be drawn', () => {
  expect(drawMeasure(pickUp, [row('p50Ms', 0)])).not.toContain('NaN');
});
