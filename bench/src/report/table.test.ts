import { expect, test } from 'vitest';
import { accept } from '../measures/accept.ts';
import type { Sample } from '../measures/measure.ts';
import { summarize, tabulate, writeSpread } from './table.ts';

const sample = (contender: Sample['contender'], round: number, jobsPerSecond: number): Sample => ({
  measure: 'accept',
  contender,
  variant: { payloadBytes: 200 },
  round,
  figures: { jobsPerSecond },
});

test('rounds are summed up by contender, in the order of the contenders', () => {
  const samples = [
    sample('pg-boss', 1, 900),
    sample('limit', 1, 100),
    sample('limit', 2, 300),
    sample('limit', 3, 200),
  ];
  const rows = summarize(samples, accept);
  expect(rows.map(({ contender }) => contender)).toEqual(['limit', 'pg-boss']);
  expect(tabulate(rows)).toEqual({
    header: ['', 'jobs/s'],
    rows: [
      ['limit (stores nothing), 200 B', '200 (100–300)'],
      ['pg-boss, 200 B', '900'],
    ],
  });
});

test('samples of other measures stay out, and a figure that one row lacks is a dash', () => {
  const other: Sample = { ...sample('limit', 1, 5), measure: 'worker' };
  const withTime: Sample = { ...sample('pg-boss', 1, 5), figures: { p99Ms: 1.234 } };
  const { rows } = tabulate(summarize([other, sample('limit', 1, 7), withTime], accept));
  expect(rows).toEqual([
    ['limit (stores nothing), 200 B', '7', '–'],
    ['pg-boss, 200 B', '–', '1.23'],
  ]);
});

test('a figure without a title is an error, not a column that nobody understands', () => {
  const odd: Sample = { ...sample('limit', 1, 5), figures: { speed: 1 } };
  expect(() => tabulate(summarize([odd], accept))).toThrow('"speed" has no title');
});

test('a spread shows three digits or whole numbers', () => {
  expect(writeSpread({ median: 7_123.4, min: 6_900, max: 7_400 })).toBe('7,123 (6,900–7,400)');
  expect(writeSpread({ median: 0.123, min: 0.123, max: 0.123 })).toBe('0.12');
  expect(writeSpread({ median: 12.34, min: 1, max: 20 })).toBe('12.3 (1–20)');
});
