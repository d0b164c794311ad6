import { expect, test } from 'vitest';
import type { FaultLine } from '../logs.ts';
import { checkSteadyWeights } from './steady-weights.ts';
import { ack, attempt, effect, fault, soundRun } from './testing/sound-run.ts';

const BEGIN = 10_000;
const SLOTS = 4;
const WORK_MS = 100;

interface SteadyRun {
  seconds?: number;
  /** How many jobs of the heavy tenant go for each of the light one, by the second. */
  times: (second: number) => number;
  faults?: FaultLine[];
  /** How many jobs of the light tenant there are, in all. */
  lightJobs?: number;
  size?: 'small' | 'standard';
  /** Of the light tenant, at which second each has its slot for three seconds until its worker is found dead. */
  lostAt?: number[];
}

/** Four slots that jobs of two tenants take in turn, all of which were acknowledged before the load began. */
function steadyRun({
  seconds = 60,
  times,
  faults = [],
  lightJobs = 10_000,
  size = 'standard',
  lostAt = [],
}: SteadyRun) {
  const run = { ...soundRun().run, size, loadStartedAt: BEGIN, loadEndedAt: BEGIN + seconds * 1_000 };
  const evidence = soundRun({ run, faults, acks: [], attempts: [], effects: [] });
  const begun = { steadyLight: 0, steadyHeavy: 0 };
  const take = (kind: keyof typeof begun, at: number) => {
    const jobId = `job_${kind}_${begun[kind]++}`;
    evidence.effects.push(effect({ jobId, phase: 'start', at }), effect({ jobId, at: at + WORK_MS }));
    evidence.attempts.push(attempt({ jobId }));
  };
  let ahead = 0;
  for (let at = BEGIN - WORK_MS; at < run.loadEndedAt; at += WORK_MS / SLOTS) {
    const isHeavysTurn = ahead < times((at - BEGIN) / 1_000) || begun.steadyLight >= lightJobs;
    ahead = isHeavysTurn ? ahead + 1 : 0;
    take(isHeavysTurn ? 'steadyHeavy' : 'steadyLight', at);
  }
  for (const second of lostAt) {
    const startedAt = BEGIN + second * 1_000;
    const lost = { jobId: 'job_steadyLight_9999', outcome: 'worker_lost', startedAt };
    evidence.attempts.push(attempt({ ...lost, finishedAt: startedAt + 3_000 }));
  }
  const submitted = { steadyLight: lightJobs, steadyHeavy: 10_000 };
  for (const kind of ['steadyLight', 'steadyHeavy'] as const)
    for (let n = 0; n < submitted[kind]; n += 1)
      evidence.acks.push(ack({ jobId: `job_${kind}_${n}`, kind, at: BEGIN - 1_000 }));
  return checkSteadyWeights(evidence);
}

const outage = (from: number, to: number, kind: FaultLine['kind'] = 'redis-flushed') =>
  fault({
    kind,
    at: BEGIN + from * 1_000,
    endedAt: BEGIN + to * 1_000,
    recoveredAt: BEGIN + to * 1_000,
  });
const got = (times: number, when: string) =>
  `A tenant of weight 3 got ${times} times what one of weight 1 got ${when}.`;

test('who has thrice the weight gets thrice the time, over the run and in each calm window', () => {
  expect(steadyRun({ times: () => 3 })).toMatchObject({
    violations: [],
    figures: { steadyTimeMs: 240_000, steadyRatio: 3, calmTimeMs: 240_000, calmRatio: 3, calmWindows: 12 },
  });
});

test('weights that count for nothing are a violation over the run, and over what is calm of it', () => {
  const { violations } = steadyRun({ seconds: 10, times: () => 1 });

  expect(violations).toEqual([
    got(1, 'over the run'),
    got(1, 'while there was no fault'),
    got(1, `in calm seconds from ${BEGIN} on`),
    got(1, `in calm seconds from ${BEGIN + 5_000} on`),
  ]);
});

test('a few seconds in which one tenant got too much are a violation, however even the rest', () => {
  const { violations, figures } = steadyRun({
    seconds: 120,
    times: (second) => (second >= 40 && second < 45 ? 7 : 3),
  });

  expect(violations).toEqual([got(7, `in calm seconds from ${BEGIN + 40_000} on`)]);
  expect(figures).toMatchObject({ steadyRatio: expect.closeTo(3.1, 1), leastOfWindow: 3, mostOfWindow: 7 });
});

test('during a fault and until dead workers are found the windows are not looked at, but the run as a whole is', () => {
  const unfair = (from: number, to: number) =>
    steadyRun({ times: (second) => (second >= from && second < to ? 7 : 3), faults: [outage(20, 25)] });

  // A lease of 3 s, and the time in which its loss is found.
  expect(unfair(20, 29)).toMatchObject({ violations: [], figures: { calmTimeMs: 200_000, calmRatio: 3 } });
  expect(unfair(20, 40).violations).toContain(got(7, `in calm seconds from ${BEGIN + 30_000} on`));
  const always = steadyRun({ times: () => 7, faults: [outage(0, 60)] });
  expect(always.violations).toContainEqual(expect.stringMatching(/got 7\S* times .* over the run/));
});

test('what was lost with a worker counts for nothing, and its tenant makes up for none of it', () => {
  const lostOne = { faults: [outage(10, 10)], lostAt: [10] };

  expect(steadyRun({ times: () => 3, ...lostOne })).toMatchObject({
    violations: [],
    figures: { steadyTimeMs: 240_000, steadyRatio: 3, calmRatio: 3 },
  });
  // The heavy one gets all four slots for as long as would make up for three seconds of the light one.
  const times = (second: number) => (second >= 15 && second < 17.25 ? Number.POSITIVE_INFINITY : 3);
  expect(steadyRun({ times, ...lostOne }).violations).toEqual([
    expect.stringMatching(/times what one of weight 1 got in calm seconds/),
  ]);
});

test('a bad receiver takes nothing from the workers, so that its time is calm', () => {
  const hanging = steadyRun({ times: () => 3, faults: [outage(10, 50, 'receiver-hangs')] });

  expect(hanging.figures).toMatchObject({ calmTimeMs: 240_000 });
});

test('a tenant gets more than its share where the other has nothing waiting', () => {
  const { violations, figures } = steadyRun({ times: () => 3, lightJobs: 250 });

  expect(violations).toEqual([]);
  expect(figures).toMatchObject({ steadyTimeMs: 96_000, steadyRatio: expect.closeTo(3, 1) });
});

test('a run without calm proves nothing, which a small one may, and one that hardly ran is not judged', () => {
  const restless = (size: 'small' | 'standard') =>
    steadyRun({ times: () => 3, faults: [outage(9, 60)], size }).violations;

  expect(restless('standard')).toEqual([
    '36000 ms of two tenants that waited while there was no fault prove nothing of weights.',
  ]);
  expect(restless('small')).toEqual([]);
  const short = steadyRun({ seconds: 9, times: () => 7, faults: [outage(0, 9)], size: 'small' });
  expect(short.violations).toEqual([]);
});
