import { expect, test } from 'vitest';
import { countedSince, countOf, quantileOf, readBuckets } from './read-quantiles.ts';

const METRICS = `# TYPE ratio histogram
ratio_bucket{queue="default",le="1"} 10
ratio_bucket{queue="default",le="2"} 30
ratio_bucket{queue="default",le="+Inf"} 40
ratio_bucket{le="1",queue="other"} 10
ratio_bucket{le="2",queue="other"} 10
ratio_bucket{le="+Inf",queue="other"} 10
ratio_sum{queue="default"} 70
ratio_count{queue="default"} 40
ratio_of_others_bucket{le="1"} 7
`;

test('a histogram is read over all labels, and no other of a longer name', () => {
  expect([...(readBuckets(METRICS, 'ratio') ?? [])]).toEqual([
    [1, 20],
    [2, 40],
    [Number.POSITIVE_INFINITY, 50],
  ]);
  expect(readBuckets(METRICS, 'nothing')).toBeUndefined();
});

test('what is within a bucket is spread over it, and what is beyond all has the last bound', () => {
  const buckets = readBuckets(METRICS, 'ratio') ?? new Map();
  expect([0.2, 0.6, 0.99].map((part) => quantileOf(buckets, part))).toEqual([0.5, 1.5, 2]);
});

test('what was counted before does not count', () => {
  const buckets = readBuckets(METRICS, 'ratio') ?? new Map();
  expect(countOf(countedSince(buckets, buckets))).toBe(0);
  expect(countOf(countedSince(buckets, undefined))).toBe(50);
});
