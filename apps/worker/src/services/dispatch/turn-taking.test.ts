import { expect, test } from 'vitest';
import { createTurnTaking } from './turn-taking.ts';

const marked = [{ id: 'a', dispatchNo: 1, type: 't', traceparent: null, buildId: 'b' }];
const nothing = { jobs: [], lost: false };

test('a dispatcher alone never follows', () => {
  const turns = createTurnTaking();
  turns.tookTurn({ ...nothing, round: 7 });
  turns.tookTurn({ jobs: marked, lost: false, round: 8 });
  turns.tookTurn({ ...nothing, round: 8 });
  expect(turns.isFollowing()).toBe(false);
});

test('one that comes second follows until it gets jobs itself', () => {
  const turns = createTurnTaking();
  turns.tookTurn({ ...nothing, lost: true, round: 1 });
  expect(turns.isFollowing()).toBe(true);
  turns.tookTurn({ jobs: marked, lost: false, round: 2 });
  expect(turns.isFollowing()).toBe(false);
});

test('one that finds the work done by another follows', () => {
  const turns = createTurnTaking();
  turns.tookTurn({ jobs: marked, lost: false, round: 1 });
  turns.tookTurn({ ...nothing, round: 3 });
  expect(turns.isFollowing()).toBe(true);
});

test('a follower sees whether the other goes on', () => {
  const turns = createTurnTaking();
  turns.tookTurn({ ...nothing, lost: true, round: 1 });
  expect(turns.sawRound(2)).toBe(true);
  expect(turns.sawRound(2)).toBe(false);
});
