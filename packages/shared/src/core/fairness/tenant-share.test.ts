import { expect, test } from 'vitest';
import { lookAgainInMs, mostBeside, mostInFlight, shareOf, shareOfProcess } from './tenant-share.ts';

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
  [20, 10_000, 16],
  [20, 251, 16],
  [20, 100, 96],
  [20, 1, 8_016],
  [20, 0, 8_016],
  [2, 200, 4],
])(
  'of %i slots and handlers of %i ms, %i jobs of a tenant may be in flight, of slow ones its share',
  (slots, quickMs, all) => {
    expect(mostInFlight(slots, 80, quickMs)).toMatchObject({ all, slow: shareOf(slots, 80) });
  },
);

test('beside others that take the slots which are kept free, a tenant may have its share of the window', () => {
  const bound = mostInFlight(10, 80, 250);
  const window = { size: 40, mostSlow: 15 };
  expect(mostBeside(bound, 1, window)).toMatchObject({ all: 24, slow: 8 });
  expect(mostBeside(bound, 2, window)).toEqual({ all: 32, slow: 8 });
  expect(mostBeside(bound, 2, { size: 20, mostSlow: 4 })).toEqual({ all: 24, slow: 8 });
});

test('of slow ones no more than others have beyond what is kept free, or it would have all slots when theirs have ended', () => {
  const bound = mostInFlight(10, 80, 250);
  const window = { size: 40, mostSlow: 15 };
  expect([3, 4, 6, 9].map((others) => mostBeside(bound, others, window).slow)).toEqual([9, 10, 12, 12]);
  expect(mostBeside(mostInFlight(3, 80, 10_000), 1, { size: 9, mostSlow: 4 }).slow).toBe(2);
});

test('the next look comes before what is ahead is used up, and of slow ones soon after an end', () => {
  expect(lookAgainInMs(1)).toBe(50);
  expect(lookAgainInMs(400)).toBe(20);
  expect(lookAgainInMs(10_000)).toBe(100);
});
