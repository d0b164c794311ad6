import { expect, test } from 'vitest';
import { lookAgainInMs, mostInFlight, shareOf, shareOfProcess } from './tenant-share.ts';

test.each([
  [1, 1],
  [2, 1],
  [3, 2],
  [4, 3],
  [5, 4],
  [10, 8],
  [20, 16],
])('of %i slots one tenant has at most %i, if there is more than one slot never all', (slots, most) => {
  expect(shareOf(slots, 80)).toBe(most);
});

test('a share of all is no bound, and the smallest is one slot', () => {
  expect([shareOf(7, 100), shareOfProcess(7, 100)]).toEqual([7, 7]);
  expect([shareOf(7, 1), shareOfProcess(7, 1)]).toEqual([1, 1]);
});

test('what the processes allow together is never less than what all of them may', () => {
  for (let slots = 1; slots <= 50; slots += 1)
    for (let processes = 1; processes <= 10; processes += 1)
      for (const percent of [1, 33, 50, 80, 99, 100])
        expect(processes * shareOfProcess(slots, percent)).toBeGreaterThanOrEqual(
          shareOf(processes * slots, percent),
        );
});

test.each([
  [16, 10_000, 16],
  [16, 251, 16],
  [16, 100, 96],
  [16, 1, 8_016],
  [16, 0, 8_016],
  [1, 200, 4],
])(
  'of a share of %i slots and handlers of %i ms, %i jobs may be in flight, of slow ones the share',
  (share, quickMs, all) => {
    expect(mostInFlight(share, quickMs)).toEqual({ all, slow: share });
  },
);

test('the next look comes before what is ahead is used up, and of slow ones soon after an end', () => {
  expect(lookAgainInMs(1)).toBe(50);
  expect(lookAgainInMs(400)).toBe(20);
  expect(lookAgainInMs(10_000)).toBe(100);
});
