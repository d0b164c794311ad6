import { expect, test } from 'vitest';
import type { LedgerLease } from '../ledger-rows.ts';
import type { ProcessLine } from '../logs.ts';
import { checkLeases } from './leases.ts';
import { ack, attempt, effect, fault, soundRun } from './testing/sound-run.ts';

const check = (over: Parameters<typeof soundRun>[0], size = 'standard') =>
  checkLeases(soundRun({ run: { ...soundRun().run, size }, ...over }));

const lease = (over: Partial<LedgerLease> = {}): LedgerLease => ({
  workerId: 'worker',
  pid: 7,
  beganAt: 900,
  lostAt: null,
  releasedAt: null,
  ...over,
});

/** A worker that is told to end at 1,150, with an attempt under way, and ends at 9,000. */
const deployed = (exit: Partial<ProcessLine> = {}): ProcessLine[] => [
  { at: 800, name: 'worker-1', pid: 7, event: 'started' },
  { at: 1_150, name: 'worker-1', pid: 7, event: 'signaled', signal: 'SIGTERM' },
  { at: 9_000, name: 'worker-1', pid: 7, event: 'exited', code: 0, signal: null, ...exit },
];
const deploy = fault({ kind: 'rolling-deploy', target: 'all processes' });

test('an attempt that was under way at a deploy must not end as lost with its worker', () => {
  const ending = (outcome: string, leases = [lease()], processes = deployed()) =>
    check({
      faults: [deploy],
      processes,
      leases,
      attempts: [attempt({ outcome }), attempt({ jobId: 'job_3', outcome: 'released' })],
    });
  const burnt = ['Attempt 1 of job_1 was burnt: worker-1 was told to end.'];

  expect(ending('released')).toMatchObject({
    violations: [],
    figures: { attemptsUnderWayAtDeploys: 2, attemptsReleased: 2, attemptsBurntByDeploys: 0 },
  });
  expect(ending('worker_lost')).toMatchObject({ violations: burnt, figures: { attemptsBurntByDeploys: 1 } });
  expect(ending('worker_lost', [lease({ lostAt: 4_200 })]).violations).toEqual(burnt);
});

test('a lease that was lost before the deploy, or a worker that was killed in it, is not the doing of the deploy', () => {
  const lost = (over: Parameters<typeof soundRun>[0]) =>
    check({ processes: deployed(), attempts: [attempt({ outcome: 'worker_lost' })], ...over }, 'small')
      .violations;

  expect(lost({ leases: [lease({ lostAt: 1_100 })] })).toEqual([]);
  expect(lost({ leases: [lease()], processes: deployed({ code: null, signal: 'SIGKILL' }) })).toEqual([]);
  const leaking = { acks: [ack({ kind: 'leaking' })], effects: [effect({ phase: 'start' })] };
  expect(lost({ leases: [lease()], ...leaking })).toEqual([]);
});

test('deploys in which no attempt was released prove nothing', () => {
  expect(check({ faults: [deploy], attempts: [] }).violations).toEqual([
    'No attempt was released in 1 deploys: the run proves nothing of them.',
  ]);
  expect(check({ faults: [deploy], attempts: [] }, 'small').violations).toEqual([]);
});

const skew = fault({ kind: 'worker-clock-skewed', target: 'worker-1', at: 1_000, endedAt: 6_000 });

test('a lease that is lost while a clock is wrong is a violation, whichever live worker held it', () => {
  const lost = (over: Partial<LedgerLease>, faults = [skew]) =>
    check({
      faults,
      processes: deployed({ at: 20_000 }),
      leases: [lease(), lease({ workerId: 'other', lostAt: 5_500, ...over })],
    }).violations;
  const violation = ['A lease of pid 7 was lost while the clock of worker-1 was wrong.'];

  expect(lost({})).toEqual(violation);
  expect(lost({ lostAt: 8_900 })).toEqual(violation);
  expect(lost({ lostAt: 9_100 })).toEqual([]);
  expect(lost({ pid: 8 })).toEqual([]);
  expect(lost({}, [skew, fault({ at: 5_400, endedAt: 5_400 })])).toEqual([]);
  expect(lost({}, [fault({ at: 500, endedAt: 999 }), skew])).toEqual(violation);
  expect(lost({ lostAt: 4_000 }, [fault({ at: 500, endedAt: 999 }), skew])).toEqual([]);
});

test('a wrong clock under which nothing ran proves nothing', () => {
  const idle = { faults: [skew], processes: deployed({ at: 20_000 }), attempts: [] };
  expect(check(idle).violations).toEqual([
    'A worker ran nothing while its clock was wrong: that proves nothing of leases.',
  ]);
  const busy = check({ faults: [skew], processes: deployed({ at: 20_000 }), leases: [lease()] });
  expect(busy).toMatchObject({ violations: [], figures: { attemptsUnderWrongClock: 2 } });
});
