import { expect, test } from 'vitest';
import { ack, attempt, soundRun } from '../checker/testing/sound-run.ts';
import { acceptLatency, perSecond, recoveryTimesS, smooth } from './series.ts';

test('times are counted by the second since the load began, empty seconds too', () => {
  expect(perSecond([1_000, 1_999, 4_000, 500], 1_000)).toEqual([
    { s: 0, value: 2 },
    { s: 1, value: 0 },
    { s: 2, value: 0 },
    { s: 3, value: 1 },
  ]);
});

test('smoothing averages neighbours, of which there are fewer at the ends', () => {
  const points = [0, 3, 0].map((value, s) => ({ s, value }));
  expect(smooth(points, 3).map(({ value }) => value)).toEqual([1.5, 1, 1.5]);
});

test('latency is taken from accepted requests alone, by bucket', () => {
  const acks = [
    ack({ at: 1_000, latencyMs: 10 }),
    ack({ at: 1_500, latencyMs: 30 }),
    ack({ at: 1_500, latencyMs: 5_000, outcome: 'unknown' }),
    ack({ at: 3_500, latencyMs: 70 }),
  ];
  expect(acceptLatency(soundRun({ acks }), 0.5, 2)).toEqual([
    { s: 1, value: 10 },
    { s: 3, value: 70 },
  ]);
});

test('recovery is the time from the wipe to the next claim, sorted', () => {
  const attempts = [attempt({ startedAt: 4_050 }), attempt({ jobId: 'job_3', startedAt: 2_050 })];
  const jobs = ['job_1', 'job_3', 'job_4'].map((jobId) => ({ jobId, dispatchNo: 1, attempt: 0 }));
  const wipes = [{ at: 1_050, kind: 'redis-flushed' as const, jobs }];
  expect(recoveryTimesS(soundRun({ attempts, wipes }))).toEqual([1, 3]);
});
