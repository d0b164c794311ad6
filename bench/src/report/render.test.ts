import { expect, test } from 'vitest';
import { renderMarkdown, renderText, tabulateTargets } from './render.ts';
import type { Target } from './target.ts';

const table = {
  header: ['', 'jobs/s'],
  rows: [
    ['limit', '9,000'],
    ['pg-boss', '7'],
  ],
};

test('columns line up in a terminal', () => {
  expect(renderText(table).split('\n')).toEqual(['          jobs/s', 'limit      9,000', 'pg-boss        7']);
});

test('Markdown has numbers to the right', () => {
  expect(renderMarkdown(table)).toBe('|  | jobs/s |\n| --- | --: |\n| limit | 9,000 |\n| pg-boss | 7 |');
});

test('a target that is missed says by how much', () => {
  const target: Target = {
    name: 'accept',
    measured: { median: 0.75, min: 0.7, max: 0.8 },
    bound: 0.9,
    wanted: 'at least',
    unit: '×',
  };
  expect(tabulateTargets([target, { ...target, bound: 0.5 }]).rows).toEqual([
    ['accept', '0.75 (0.7–0.8) ×', '≥ 0.9 ×', 'short by 0.15 ×'],
    ['accept', '0.75 (0.7–0.8) ×', '≥ 0.5 ×', 'reached'],
  ]);
});
