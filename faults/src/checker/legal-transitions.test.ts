import { expect, test } from 'vitest';
import { checkLegalTransitions } from './legal-transitions.ts';
import { job, soundRun } from './testing/sound-run.ts';

const move = (from: string, to: string) => ({ at: 1_500, jobId: 'job_1', from, to });
const violationsOf = (over: Parameters<typeof soundRun>[0]) =>
  checkLegalTransitions(soundRun(over)).violations;

test.each([
  ['succeeded', 'queued'],
  ['succeeded', 'succeeded'],
  ['failed', 'running'],
  ['queued', 'succeeded'],
  ['succeeded', 'deleted'],
  ['attempt 4', 'attempt 3'],
])('%s to %s is illegal', (from, to) => {
  expect(violationsOf({ transitions: [move(from, to)] })).toEqual([`job_1 went from ${from} to ${to}.`]);
});

test('a replay is legal with its audit row, and illegal without', () => {
  const transitions = [move('failed', 'queued')];
  expect(violationsOf({ transitions, replays: [{ jobId: 'job_1', at: 1_500 }] })).toEqual([]);
  expect(violationsOf({ transitions })).toEqual([
    'job_1 left a terminal status 1 times with 0 audited replays.',
  ]);
});

test('a replay round that nobody saw begin is illegal', () => {
  expect(violationsOf({ jobs: [job({ replayRound: 1 })] })).toEqual([
    'job_1 left a terminal status 1 times with 0 audited replays.',
  ]);
});

test('a run that replays none of its dead letters has not tried the way out', () => {
  const letter = { jobId: 'job_9', reason: 'permanent_error', attempt: 1, createdAt: 1, resolution: null };
  const deadLetters = Array.from({ length: 4 }, () => letter);
  expect(violationsOf({ deadLetters })).toEqual(['None of 4 dead letters was replayed.']);
  expect(violationsOf({ deadLetters, replays: [{ jobId: 'job_9', at: 2 }] })).toEqual([]);
});
