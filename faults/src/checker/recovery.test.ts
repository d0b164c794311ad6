import { expect, test } from 'vitest';
import { checkRecovery } from './recovery.ts';
import { ack, attempt, fault, job, soundRun } from './testing/sound-run.ts';

const check = (over: Parameters<typeof soundRun>[0]) => checkRecovery(soundRun(over));
const wipeAt = (at: number, attempt = 0) => ({
  at,
  kind: 'redis-flushed' as const,
  jobs: [{ jobId: 'job_1', dispatchNo: 1, attempt }],
});

test('the time from a wipe to the next claim is measured, whatever was claimed before it', () => {
  const attempts = [attempt({ startedAt: 1_000 }), attempt({ attempt: 2, startedAt: 6_000 })];
  expect(check({ wipes: [wipeAt(2_000, 1)], attempts })).toMatchObject({
    violations: [],
    figures: { wipes: 1, jobsWiped: 1, recoveryP50Ms: 4_000, recoveryP99Ms: 4_000 },
  });
});

test('a claim that began before the wipe and had to wait for it comes after it', () => {
  const attempts = [attempt({ startedAt: 1_500 })];
  expect(check({ wipes: [wipeAt(2_000)], attempts })).toMatchObject({
    violations: [],
    figures: { jobsWiped: 1, recoveryMaxMs: 0 },
  });
});

test('a job that is wiped again before anybody could claim it counts from there', () => {
  const attempts = [attempt({ startedAt: 20_000 })];
  expect(check({ wipes: [wipeAt(2_000), wipeAt(12_000)], attempts })).toMatchObject({
    violations: [],
    figures: { wipes: 2, jobsWiped: 1, recoveryMaxMs: 8_000 },
  });
  expect(check({ wipes: [wipeAt(2_000), wipeAt(12_000)], attempts: [] }).violations).toHaveLength(1);
});

test('a recovery beyond its bound is a violation', () => {
  const attempts = [attempt({ startedAt: 17_001 })];
  expect(check({ wipes: [wipeAt(2_000)], attempts }).violations).toEqual([
    'After a wipe it took 15001 ms (p99) until the jobs were claimed again.',
  ]);
});

test('a job of low priority waits for others: it has to be claimed again, but in no time', () => {
  const jobs = [job({ priority: 'low', status: 'queued' })];
  const late = { wipes: [wipeAt(2_000)], attempts: [attempt({ startedAt: 100_000 })], jobs };
  expect(check(late)).toMatchObject({ violations: [], figures: { recoveryMaxMs: 0 } });
  expect(check({ ...late, attempts: [] }).violations).toEqual([
    'job_1 was wiped by redis-flushed and never claimed again.',
  ]);
});

test('a wiped job that nobody claims again is a violation, unless it was canceled', () => {
  const wiped = (status: 'queued' | 'canceled') =>
    check({ wipes: [wipeAt(2_000)], attempts: [], jobs: [job({ status })] }).violations;
  expect(wiped('queued')).toEqual(['job_1 was wiped by redis-flushed and never claimed again.']);
  expect(wiped('canceled')).toEqual([]);
});

test('a queue that is not drained is a violation', () => {
  const { run } = soundRun();
  expect(check({ run: { ...run, drainedAt: null } }).violations).toEqual([
    'The queues were not drained when the time was over.',
  ]);
});

test('a slow 202 while only Redis is away is a violation; with the API killed as well it is not', () => {
  const slow = (during: ('redis-flushed' | 'api-killed')[] | null) =>
    check({ acks: [ack({ latencyMs: 251, during })] }).violations;
  expect(slow(['redis-flushed'])).toEqual([
    'While Redis was away a 202 took 251 ms (p99), undisturbed 0 ms.',
  ]);
  expect(slow(['redis-flushed', 'api-killed'])).toEqual([]);
  expect(slow(null)).toEqual([]);
});

test('on a busy machine a 202 may take longer than undisturbed, in a small run twice as long, in a larger one less', () => {
  const acks = [ack({ latencyMs: 200 }), ack({ latencyMs: 400, during: ['redis-flushed'] })];
  const { run } = soundRun();
  expect(check({ acks }).violations).toEqual([]);
  expect(check({ acks, run: { ...run, size: 'standard' } }).violations).toEqual([
    'While Redis was away a 202 took 400 ms (p99), undisturbed 200 ms.',
  ]);
  const bearable = [ack({ latencyMs: 200 }), ack({ latencyMs: 299, during: ['redis-flushed'] })];
  expect(check({ acks: bearable, run: { ...run, size: 'standard' } }).violations).toEqual([]);
});

test('more than two dispatches in vain a job are a violation', () => {
  expect(check({ jobs: [job({ dispatchNo: 4, attempt: 1 })] }).violations).toEqual([
    '3 dispatches led to no claim; after the loss of 1 jobs 2 may.',
  ]);
  expect(check({ jobs: [job({ dispatchNo: 4, attempt: 2 })] }).violations).toEqual([]);
});

test('more dispatches in vain than jobs were lost, and faults could cost, are a violation in a large run as well', () => {
  const jobs = (dispatchedAgain: number) => [
    job(),
    ...Array.from({ length: 1_000 }, (_, n) =>
      job({ jobId: `job_o${n}`, dispatchNo: n < dispatchedAgain ? 2 : 1 }),
    ),
  ];

  expect(check({ jobs: jobs(312) }).violations).toEqual([]);
  expect(check({ jobs: jobs(313) }).violations).toEqual([
    '313 dispatches led to no claim; after the loss of 1 jobs 312 may.',
  ]);
});

test('a fault after which nothing went through is a violation', () => {
  expect(check({ faults: [fault({ recoveredAt: null })] }).violations).toEqual([
    'After worker-killed on worker-1 no job went all the way through.',
  ]);
});

test('a larger run in which nothing was wiped, or accepted without Redis, proves nothing', () => {
  const { run } = soundRun();
  const away = [ack({ during: ['redis-asleep'] })];
  const violations = (over: Parameters<typeof soundRun>[0], engine: 'redis' | 'postgres' = 'redis') =>
    check({ run: { ...run, size: 'standard', engine }, ...over }).violations;

  expect(violations({ acks: away })).toEqual([]);
  expect(violations({})).toEqual([
    'No job was accepted while Redis was away: the run proves nothing of that.',
  ]);
  expect(violations({}, 'postgres')).toEqual([]);
  expect(violations({ acks: away, wipes: [] })).toEqual([
    'No wipe took a job that waited: the run proves nothing of the recovery.',
  ]);
});
