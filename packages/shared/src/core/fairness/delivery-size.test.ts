import { expect, test } from 'vitest';
import { intoDeliveries } from './delivery-size.ts';

const job = (id: number, type = 'quick') => ({ id, type });
const jobs = Array.from({ length: 100 }, (_, index) => job(index));
const options = { quickTypes: new Set(['quick']), handlerMs: 7, workers: 1 };
const sizes = (handlerMs: number, workers: number, count = 100) =>
  intoDeliveries(jobs.slice(0, count), { ...options, handlerMs, workers }).map((delivery) => delivery.length);

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
  expect(deliveries.flat()).toEqual(jobs);
  expect(deliveries.length).toBe(15);
});

test('few jobs are shared by all workers', () => {
  expect(sizes(0, 4, 10)).toEqual([3, 3, 3, 1]);
  expect(sizes(0, 4, 3)).toEqual([1, 1, 1]);
});

test('no jobs make no delivery, even before a worker is known', () => {
  expect(intoDeliveries([], { ...options, workers: 0 })).toEqual([]);
});

test('a job whose handler is not known to be quick goes alone, and parts no others', () => {
  const mixed = [job(0), job(1, 'slow'), job(2), job(3, 'slow')];
  const ids = intoDeliveries(mixed, options).map((delivery) => delivery.map(({ id }) => id));
  expect(ids).toEqual([[0, 2], [1], [3]]);
});
