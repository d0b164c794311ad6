import { expect, test } from 'vitest';
import { createRounds } from './rounds.ts';

function roundsOf(items: [client: string, item: number][]) {
  const rounds = createRounds<number>();
  for (const [client, item] of items) rounds.add(client, item);
  return rounds;
}

test('clients have their turns one after the other, each with what has waited longest', () => {
  const rounds = roundsOf([
    ['a', 1],
    ['a', 2],
    ['b', 3],
    ['a', 4],
  ]);
  expect([rounds.next(), rounds.next(), rounds.next(), rounds.next(), rounds.next()]).toEqual([
    ...[1, 3, 2, 4],
    undefined,
  ]);
  expect([rounds.size(), rounds.isEmpty()]).toEqual([0, true]);
});

test('clients that may not are left out, and keep their turn', () => {
  const rounds = roundsOf([
    ['a', 1],
    ['b', 2],
    ['b', 3],
  ]);
  expect([rounds.next((client) => client === 'b'), rounds.next(() => false), rounds.size()]).toEqual([
    ...[2, undefined, 2],
  ]);
  expect([rounds.next(), rounds.next()]).toEqual([1, 3]);
});

test('what came last of the client that has most is taken first', () => {
  const rounds = roundsOf([
    ['a', 1],
    ['b', 2],
    ['b', 3],
    ['b', 4],
  ]);
  expect([rounds.takeLast(), rounds.takeLast(), rounds.size()]).toEqual([4, 3, 2]);
  expect([rounds.takeLast(), rounds.takeLast(), rounds.takeLast()]).toEqual([1, 2, undefined]);
});

test('of each client what has waited longest is taken for as long as it is to be', () => {
  const rounds = roundsOf([
    ['a', 1],
    ['a', 5],
    ['a', 2],
    ['b', 2],
    ['b', 1],
  ]);
  expect(rounds.takeWhile((item) => item < 5)).toEqual([1, 2, 1]);
  expect([rounds.size(), rounds.next(), rounds.next(), rounds.next()]).toEqual([2, 5, 2, undefined]);
});
