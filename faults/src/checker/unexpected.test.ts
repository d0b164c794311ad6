import { expect, test } from 'vitest';
import { ack, delivery, job, soundRun } from './testing/sound-run.ts';
import { checkUnexpected } from './unexpected.ts';

test('a job with a key that no client sent is unexpected', () => {
  const run = soundRun({ acks: [], jobs: [job()] });
  expect(checkUnexpected(run).violations).toEqual(['job_1 has the key k1, which no client sent.']);
});

test('a second job of one key, which the key does not name, is unexpected', () => {
  const run = soundRun({ jobs: [job(), job({ jobId: 'job_9' })] });
  expect(checkUnexpected(run).violations).toEqual([
    'job_9 has no idempotency key: a second job was made of one.',
  ]);
});

test('a job whose client only got errors is recovered, which is fine', () => {
  const acks = [ack({ outcome: 'unknown', status: null, jobId: null })];
  const verdict = checkUnexpected(soundRun({ acks }));
  expect(verdict.violations).toEqual([]);
  expect(verdict.figures).toEqual({ submitted: 1, recovered: 1, unexpected: 0 });
});

test('a delivery is unexpected when its job asked for none', () => {
  const run = soundRun({ jobs: [job({ hasWebhook: false }), delivery()] });
  expect(checkUnexpected(run).violations).toEqual(['job_1 is told of by 1 deliveries; 0 were asked for.']);
});

test('an end is told of once, and again only after a replay', () => {
  const deliveries = [delivery(), delivery({ jobId: 'job_3', eventId: 'evt_2' })];
  const told = (replayRound: number) =>
    checkUnexpected(soundRun({ jobs: [job({ hasWebhook: true, replayRound }), ...deliveries] }));
  expect(told(0).violations).toEqual(['job_1 is told of by 2 deliveries; 1 were asked for.']);
  expect(told(1).violations).toEqual([]);
});
