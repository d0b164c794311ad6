import { expect, test } from 'vitest';
import { judge, type Measured } from './verdict.ts';

const MIB = 2 ** 20;
const latencies = (requestMs: number, jobMs: number, refused = 0) => ({
  requestMs: Array(200).fill(requestMs),
  jobMs: Array(200).fill(jobMs),
  refused,
});

const sound: Measured = {
  name: 'test',
  does: 'Nothing.',
  judged: 0.99,
  alone: latencies(5, 40),
  attacked: latencies(29, 99),
  memory: { before: 300 * MIB, most: 600 * MIB, after: 400 * MIB },
  done: 1,
  got: '503 × 1',
};

test('what stays within twice of what is usual, and gives the memory back, is sound', () => {
  expect(judge(sound)).toEqual([]);
});

test.each<[string, Partial<Measured>, RegExp]>([
  ['slow requests', { attacked: latencies(31, 40) }, /requests took 31 ms \(p99\), alone 5; 30 may be/],
  ['slow jobs', { attacked: latencies(5, 101) }, /jobs took 101 ms/],
  ['refusals', { attacked: latencies(5, 40, 1) }, /refused 1 times/],
  ['an attack that did nothing', { done: 0 }, /did nothing/],
  ['much memory', { memory: { before: 0, most: 513 * MIB, after: 0 } }, /took 513 MiB/],
  [
    'memory that stays',
    { memory: { before: 0, most: 200 * MIB, after: 129 * MIB } },
    /129 MiB did not come back/,
  ],
])('%s are told', (_name, change, fault) => {
  expect(judge({ ...sound, ...change })).toEqual([expect.stringMatching(fault)]);
});
