import { expect, test } from 'vitest';
import { type BulkReplayProgress, nextBulkReplayStep } from './bulk-replay.ts';

const START: BulkReplayProgress = {
  status: 'canary',
  canary: 3,
  tried: 0,
  hasPending: true,
  hasUnfinished: false,
  hasFailed: false,
};

test.each<[string, Partial<BulkReplayProgress>, [string, number, boolean]]>([
  ['replays the canaries first', {}, ['canary', 3, false]],
  [
    'replays another one for a canary that was skipped',
    { tried: 2, hasUnfinished: true },
    ['canary', 1, false],
  ],
  ['waits until the canaries are finished', { tried: 3, hasUnfinished: true }, ['canary', 0, false]],
  ['goes on when all have succeeded', { tried: 3 }, ['running', Number.POSITIVE_INFINITY, false]],
  ['stops when one did not', { tried: 3, hasFailed: true, hasUnfinished: true }, ['stopped', 0, false]],
  ['stops at the first failure, before the last canary', { tried: 2, hasFailed: true }, ['stopped', 0, true]],
  ['completes when there were canaries only', { tried: 2, hasPending: false }, ['completed', 0, true]],
  [
    'replays all when there are no canaries',
    { status: 'running' },
    ['running', Number.POSITIVE_INFINITY, false],
  ],
  [
    'does not stop for failures after the canaries',
    { status: 'running', hasFailed: true },
    ['running', Number.POSITIVE_INFINITY, false],
  ],
  [
    'waits for the last jobs',
    { status: 'running', hasPending: false, hasUnfinished: true },
    ['running', 0, false],
  ],
  ['completes with the last job', { status: 'running', hasPending: false }, ['completed', 0, true]],
  ['replays nothing once it is stopped', { status: 'stopped', hasUnfinished: true }, ['stopped', 0, false]],
  ['replays nothing once it is canceled', { status: 'canceled' }, ['canceled', 0, true]],
])('a bulk replay %s', (_, progress, [status, replay, isFinished]) => {
  expect(nextBulkReplayStep({ ...START, ...progress })).toEqual({ status, replay, isFinished });
});
