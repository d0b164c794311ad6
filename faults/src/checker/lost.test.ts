import { expect, test } from 'vitest';
import { checkLost } from './lost.ts';
import { ack, job, soundRun } from './testing/sound-run.ts';

test.each(['scheduled', 'queued', 'running', 'retrying'] as const)(
  'an acknowledged job that is still %s is lost',
  (status) => {
    const verdict = checkLost(soundRun({ jobs: [job({ status })] }));
    expect(verdict.violations).toEqual([`job_1 (key k1) was acknowledged and is ${status}.`]);
    expect(verdict.figures).toEqual({ acknowledged: 1, lost: 1 });
  },
);

test.each(['succeeded', 'failed', 'canceled', 'expired'] as const)('one that is %s is not', (status) => {
  expect(checkLost(soundRun({ jobs: [job({ status })] })).violations).toEqual([]);
});

test('an acknowledged job without a row is lost, also when a later reply named another', () => {
  const acks = [ack({ jobId: 'job_0', final: false }), ack()];
  expect(checkLost(soundRun({ acks })).violations).toEqual([
    'job_0 (key k1) was acknowledged and is not there.',
  ]);
});

test('a refused or unanswered request promises nothing', () => {
  const acks = [
    ack({ outcome: 'refused', status: 503, jobId: null }),
    ack({ outcome: 'unknown', jobId: null }),
  ];
  expect(checkLost(soundRun({ acks, jobs: [] })).figures).toEqual({ acknowledged: 0, lost: 0 });
});
