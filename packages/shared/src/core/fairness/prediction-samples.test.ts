import { expect, test } from 'vitest';
import { createPredictionSamples, errorRatio, type Prediction } from './prediction-samples.ts';

const predictionOf = (id: string, toldAtMs: number, waitMs: number): Prediction => ({
  ...{ tenantId: 'a', queue: 'default', type: 'one', id, toldAtMs, waitMs },
});
const started = (id: string, startedAtMs: number) => ({ id, startedAtMs, isOver: false });

test.each([
  ['as foreseen', 4_000, 4_000, 1],
  ['twice as late', 4_000, 8_000, 2],
  ['in half the time', 4_000, 2_000, 2],
  ['at once though it was to wait', 2_000, 3, 4],
  ['late though it was to start at once', 0, 1_000, 2],
  ['at once, as foreseen', 40, 300, undefined],
  ['before it was told', 0, -20, undefined],
  ['very late', 1_000, 60_000, 10],
])('a job that starts %s', (_how, predictedMs, realMs, ratio) => {
  expect(errorRatio(predictedMs, realMs)).toBe(ratio);
});

test('of many predictions some are remembered, evenly and not more than a thousand', () => {
  const samples = createPredictionSamples();
  const noted = (fromMs: number, toMs: number) => {
    let count = 0;
    for (let ms = fromMs; ms < toMs; ms += 1)
      if (samples.note(predictionOf(`job ${ms}`, ms, 1e9))) count += 1;
    return count;
  };
  expect(noted(0, 1_000)).toBe(20);
  expect(noted(1_000, 100_000)).toBe(980);
  expect([...samples.all()]).toHaveLength(1_000);
  samples.forget({ id: 'job 0' });
  expect(noted(100_000, 101_000)).toBe(1);
});

test('a prediction is judged once its job was started, however late somebody looks', () => {
  const samples = createPredictionSamples();
  samples.note(predictionOf('late', 1_000, 2_000));
  samples.note(predictionOf('canceled', 1_100, 2_000));
  samples.note(predictionOf('gone', 1_200, 2_000));
  samples.note(predictionOf('long', 1_300, 60_000));
  expect(samples.due(2_999)).toEqual([]);
  const due = samples.due(3_500);
  expect(due.map(({ id }) => id)).toEqual(['late', 'canceled', 'gone']);
  const canceled = { id: 'canceled', startedAtMs: null, isOver: true };
  const waits = { id: 'late', startedAtMs: null, isOver: false };
  expect(samples.settle(due, [waits, canceled], 3_500)).toEqual([]);
  expect([...samples.all()].map(({ id }) => id)).toEqual(['late', 'long']);
  // It is not asked for all the time.
  expect(samples.due(3_700)).toEqual([]);
  expect(samples.settle(samples.due(9_000), [started('late', 4_000)], 9_000)).toEqual([1.5]);
  expect(samples.due(9_000)).toEqual([]);
});

test('a job that is never started counts as wholly wrong, and is not waited for', () => {
  const samples = createPredictionSamples();
  samples.note(predictionOf('stuck', 0, 1_000));
  const waits = { id: 'stuck', startedAtMs: null, isOver: false };
  expect(samples.settle(samples.due(9_000), [waits], 9_000)).toEqual([]);
  expect(samples.settle(samples.due(10_001), [waits], 10_001)).toEqual([10]);
  expect([...samples.all()]).toEqual([]);
});
