import { expect, test } from 'vitest';
import { isReached } from '../../report/target.ts';
import { judgeBottleneck } from './judge-bottleneck.ts';
import type { Overloaded } from './measure-bottleneck.ts';
import type { OfferedTimes } from './offered.ts';

const GOOD: Omit<OfferedTimes, 'times'> = {
  ...{
    sentTimes: 1,
    offered: 100,
    accepted: 100,
    refused: 0,
    refusedByKind: {},
    otherErrors: 0,
    othersByKind: {},
  },
  ...{
    goodPerSecond: 100,
    acceptP50Ms: 2,
    acceptP99Ms: 10,
    pollP99Ms: 5,
    startP50Ms: 900,
    startP99Ms: 2_000,
  },
  ...{ refuseP50Ms: 1, refuseP99Ms: 5, refuseSeenP50Ms: 2, refuseSeenP99Ms: 10, lateP99Ms: 1 },
};

/** What is not reached where a step of so many times differs. */
function broken(times: number, change: Partial<OfferedTimes>, probedSeconds = 12): string[] {
  const steps = [0.5, 1, 2, 4, 8].map((each): OfferedTimes => {
    const step = { ...GOOD, times: each, ...(each > 1 && { recoverySeconds: 2 }) };
    return each === times ? { ...step, ...change } : step;
  });
  const run: Overloaded = {
    ...{ contender: 'accepted-redis', title: 'Accepted', capacity: 100, maxBacklog: 200 },
    ...{ probedSeconds, steps },
  };
  return judgeBottleneck(run).flatMap((goal) => (isReached(goal) ? [] : [goal.name]));
}

test('what holds is told to hold', () => {
  expect(broken(8, {})).toEqual([]);
});

test.each([
  [8, { goodPerSecond: 94 }, ['done a second at 8 ×, to 1 ×']],
  [4, { acceptP99Ms: 31 }, ['p99 of a 202 at 4 ×, to 0.5 ×']],
  [2, { startP99Ms: 2_500 }, ['an accepted job starts within, p99, at 2 ×']],
  [2, { refuseP99Ms: 21 }, ['time of the server for a refusal, p99, at 2 ×']],
  [1, { otherErrors: 1 }, ['answers that are neither a 202 nor a documented refusal']],
  [8, { recoverySeconds: 11 }, ['times are normal again after 8 × in']],
])('at %d times, %j is found', (times, change, names) => {
  expect(broken(times, change)).toEqual(names);
});

test('who looks for five seconds has not seen that times were normal again when they were not by then', () => {
  expect(broken(8, { recoverySeconds: 5 }, 5)).toEqual(['times are normal again after 8 × in']);
});

test('where no worker runs nobody waits for a start', () => {
  const { startP50Ms: _p50, startP99Ms: _p99, ...accepted } = GOOD;
  const steps = [{ ...accepted, times: 4 }];
  const names = judgeBottleneck({
    ...{
      contender: 'accepted-redis',
      title: 'Accepted',
      capacity: 100,
      maxBacklog: null,
      probedSeconds: 5,
      steps,
    },
  }).map(({ name }) => name);
  expect(names.filter((name) => name.includes('starts'))).toEqual([]);
});
