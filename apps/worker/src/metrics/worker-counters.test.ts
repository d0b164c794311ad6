import { expect, test } from 'vitest';
import { countEnd } from './count-end.ts';
import { createWorkerCounters } from './worker-counters.ts';

const ERROR = { code: 'x', message: 'y', retryable: true };

test('what was counted is taken once, summed by name, queue and label', () => {
  const counters = createWorkerCounters();
  counters.add('rescued', 'a');
  counters.add('rescued', 'a', 2);
  counters.add('rescued', 'b');
  counters.add('redispatched', 'a', 0);

  expect(counters.take()).toEqual([
    { name: 'rescued', queue: 'a', label: '', by: 3 },
    { name: 'rescued', queue: 'b', label: '', by: 1 },
  ]);
  expect(counters.take()).toEqual([]);
});

test('queues whose names look like another name and label are told apart', () => {
  const counters = createWorkerCounters();
  counters.add('attempts', 'a b', 1, 'c');
  counters.add('attempts', 'a', 1, 'b c');

  expect(counters.take()).toHaveLength(2);
});

test.each([
  ['succeeded', { kind: 'succeed', resultJson: '1' }, ['attempts succeeded', 'jobs_finished succeeded']],
  ['retrying', { kind: 'retry', delayMs: 1, error: ERROR }, ['attempts failed']],
  [
    'failed',
    { kind: 'deadLetter', reason: 'poison', error: { ...ERROR, code: 'worker_lost' } },
    ['attempts worker_lost', 'jobs_finished failed', 'dead_letters_created '],
  ],
  ['canceled', { kind: 'cancel' }, ['attempts canceled', 'jobs_finished canceled']],
  ['queued', { kind: 'release' }, ['attempts released']],
  ['retrying', { kind: 'hold', delayMs: 1, breakerId: 'x' }, ['jobs_held ', 'attempts released']],
  ['fenced', { kind: 'succeed', resultJson: '1' }, ['fenced ']],
] as const)('an attempt whose job is %s afterwards counts', (status, outcome, counted) => {
  const counters = createWorkerCounters();
  countEnd(counters, 'q', outcome, status);

  expect(counters.take().map(({ name, label }) => `${name} ${label}`)).toEqual(counted);
});
