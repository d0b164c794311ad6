import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createUrgency } from './urgency.ts';

const ALL = [0, 1, 2, 3];

function take(urgency: ReturnType<typeof createUrgency>, priorities: number[], count: number): number[] {
  return Array.from({ length: count }, () => {
    const next = urgency.next(priorities);
    if (next === undefined) throw new Error('No priority has its turn.');
    urgency.take(next);
    return next;
  });
}

test('the most urgent go first, and of each priority one goes for eight of the next more urgent one', () => {
  const urgency = createUrgency();
  for (const priority of ALL) urgency.begin(priority);
  expect(take(urgency, [2, 3], 9)).toEqual([2, 2, 2, 2, 2, 2, 2, 2, 3]);
});

test('whoever waits has a turn within a bound, however much that is more urgent waits as well', () => {
  fc.assert(
    fc.property(fc.shuffledSubarray(ALL, { minLength: 2 }), (waiting) => {
      const urgency = createUrgency();
      for (const priority of waiting) urgency.begin(priority);
      const least = Math.max(...waiting);
      const bound = waiting.reduce((sum, priority) => sum + 8 ** (least - priority), 0);
      expect(take(urgency, waiting, bound)).toContain(least);
    }),
  );
});

test('a priority that comes while others have had many turns makes up for nothing', () => {
  const urgency = createUrgency();
  urgency.begin(2);
  take(urgency, [2], 100);
  urgency.begin(3);
  expect(take(urgency, [2, 3], 9).filter((priority) => priority === 3)).toHaveLength(1);
  urgency.begin(0);
  expect(take(urgency, [0, 2, 3], 20).every((priority) => priority === 0)).toBe(true);
});

test('where nothing waits, nothing is next', () => {
  expect(createUrgency().next([])).toBeUndefined();
});
