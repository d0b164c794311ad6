import { expect, test } from 'vitest';
import { ack, effect } from '../checker/testing/sound-run.ts';
import { checkControl } from './check-control.ts';
import type { QueuedJob } from './queue-export.ts';

const queued = (state: QueuedJob['state']): QueuedJob[] => [{ jobId: 'job_1', state, failedReason: null }];
const nothing = { acknowledged: 1, lost: 0, forgotten: 0, wronglyFailed: 0, effectTwice: 0 };

test('a job that is done and known is well', () => {
  expect(checkControl({ acks: [ack()], effects: [effect()], queue: queued('completed') })).toEqual(nothing);
});

test.each(['waiting', 'active', 'delayed'] as const)(
  'one that is still %s and had no effect is lost',
  (state) => {
    const evidence = { acks: [ack()], effects: [effect({ phase: 'start' })], queue: queued(state) };
    expect(checkControl(evidence)).toEqual({ ...nothing, lost: 1 });
  },
);

test('one that Redis does not know is lost, or forgotten when its effect has happened', () => {
  expect(checkControl({ acks: [ack()], effects: [], queue: [] })).toEqual({ ...nothing, lost: 1 });
  expect(checkControl({ acks: [ack()], effects: [effect()], queue: [] })).toEqual({
    ...nothing,
    forgotten: 1,
  });
});

test('one that failed is well only if its kind may fail', () => {
  const failed = { effects: [], queue: queued('failed') };
  expect(checkControl({ acks: [ack()], ...failed })).toEqual({ ...nothing, wronglyFailed: 1 });
  expect(checkControl({ acks: [ack({ kind: 'permanent' })], ...failed })).toEqual(nothing);
});

test('an effect that happened twice is counted, under whatever token', () => {
  const evidence = { acks: [ack()], effects: [effect(), effect({ token: 2 })], queue: queued('completed') };
  expect(checkControl(evidence)).toEqual({ ...nothing, effectTwice: 1 });
});

test('a canceled job may be gone, and one without an acknowledgement was never promised', () => {
  const acks = [ack({ kind: 'canceled' }), ack({ key: 'k2', jobId: null, outcome: 'unknown' })];
  expect(checkControl({ acks, effects: [], queue: [] })).toEqual({ ...nothing, acknowledged: 0 });
});
