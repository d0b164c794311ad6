import { expect, test } from 'vitest';
import { intoDeliveries } from './delivery-size.ts';

const job = (id: number, over: { type?: string; isAhead?: boolean } = {}) => ({
  id,
  type: 'quick',
  isAhead: false,
  ...over,
});
const jobs = Array.from({ length: 100 }, (_, index) => job(index));
const options = { quickTypes: ['quick'], handlerMs: 7, workers: 1 };
const sizes = (handlerMs: number, workers: number, count = 100) =>
  intoDeliveries(jobs.slice(0, count), { ...options, handlerMs, workers }).map(
    (delivery) => delivery.jobs.length,
  );

test.each([
  ['slow handlers', 1_000, 100, 1],
  ['handlers that fill the time once', 40, 100, 1],
  ['handlers of 5 ms', 5, 10, 10],
  ['handlers that take no time', 0, 2, 50],
])('%s', (_, handlerMs, deliveries, each) => {
  expect(sizes(handlerMs, 1)).toEqual(Array(deliveries).fill(each));
});

test('the jobs stay in their order, and none is left out', () => {
  const deliveries = intoDeliveries(jobs, options);
  expect(deliveries.flatMap((delivery) => delivery.jobs)).toEqual(jobs);
  expect(deliveries.length).toBe(15);
});

test('few jobs are shared by all workers', () => {
  expect(sizes(0, 4, 10)).toEqual([3, 3, 3, 1]);
  expect(sizes(0, 4, 3)).toEqual([1, 1, 1]);
});

test('no jobs make no delivery, even before a worker is known', () => {
  expect(intoDeliveries([], { ...options, workers: 0 })).toEqual([]);
});

test('a job whose handler is not known to be quick goes alone, and what is ahead of a share with its like', () => {
  const mixed = [
    job(0),
    job(1, { type: 'slow' }),
    job(2, { isAhead: true }),
    job(3),
    job(4, { type: 'slow', isAhead: true }),
    job(5, { isAhead: true }),
  ];
  const idsOf = intoDeliveries(mixed, options).map((delivery) => [
    delivery.isAhead,
    ...delivery.jobs.map(({ id }) => id),
  ]);
  expect(idsOf).toEqual([
    [false, 0, 3],
    [false, 1],
    [true, 2, 5],
    [true, 4],
  ]);
});
