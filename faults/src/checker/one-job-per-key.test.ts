import { expect, test } from 'vitest';
import { checkOneJobPerKey } from './one-job-per-key.ts';
import { ack, soundRun } from './testing/sound-run.ts';

const violationsOf = (over: Parameters<typeof soundRun>[0]) => checkOneJobPerKey(soundRun(over)).violations;

test('replies to one key that name two jobs disagree', () => {
  expect(violationsOf({ acks: [ack({ final: false }), ack({ jobId: 'job_9' })] })).toEqual([
    'The replies to key k1 name job_1, job_9.',
  ]);
});

test('a reply that names another job than the ledger has is wrong', () => {
  expect(violationsOf({ keys: [{ key: 'k1', jobId: 'job_9' }] })).toEqual([
    'The reply to key k1 names job_1; the ledger has job_9.',
  ]);
});

test('an accepted key that is not in the ledger is wrong', () => {
  expect(violationsOf({ keys: [] })).toEqual(['Key k1 was accepted and is not there.']);
});

test('two keys that hold one job are wrong', () => {
  const keys = [
    { key: 'k1', jobId: 'job_1' },
    { key: 'k2', jobId: 'job_1' },
  ];
  expect(violationsOf({ keys })).toEqual(['job_1 is held by 2 keys.']);
});

test('equal replies are counted, and errors between them say nothing', () => {
  const acks = [ack({ final: false }), ack({ outcome: 'unknown', jobId: null, final: false }), ack()];
  const verdict = checkOneJobPerKey(soundRun({ acks }));
  expect(verdict.violations).toEqual([]);
  expect(verdict.figures).toEqual({ keys: 1, keysAnsweredAgain: 1, disagreements: 0 });
});

test('a larger run in which no key was answered twice proves nothing', () => {
  const run = { ...soundRun().run, size: 'standard' };
  expect(violationsOf({ run })).toEqual([
    'No key was answered twice: the run proves nothing of replies that agree.',
  ]);
  expect(violationsOf({ run, acks: [ack({ final: false }), ack({ status: 200 })] })).toEqual([]);
});
