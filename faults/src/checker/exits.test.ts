import { expect, test } from 'vitest';
import type { FaultKind } from '../kinds.ts';
import type { ProcessLine } from '../logs.ts';
import { checkExits } from './exits.ts';
import { ack, effect, fault, soundRun } from './testing/sound-run.ts';

const check = (over: Parameters<typeof soundRun>[0]) => checkExits(soundRun(over));

/** The life of a worker that ends by itself. */
const life = (end: Partial<ProcessLine> = {}, isReady = true): ProcessLine[] => {
  const worker = { name: 'worker-1', pid: 7 };
  return [
    { ...worker, at: 900, event: 'started' },
    ...(isReady ? [{ ...worker, at: 1_000, event: 'ready' } as const] : []),
    { ...worker, at: 2_000, event: 'exited', code: 1, signal: null, expected: false, ...end },
  ];
};
const faultOf = (kind: FaultKind, at = 1_500) => fault({ kind, at, endedAt: at + 10 });

test('a process that ends by itself is a violation; one that was told to is not', () => {
  expect(check({ processes: life() }).violations).toEqual(['worker-1 (pid 7) ended by itself with code 1.']);
  expect(check({ processes: life({ signal: 'SIGSEGV', code: null }) }).violations).toEqual([
    'worker-1 (pid 7) ended by itself with SIGSEGV.',
  ]);
  expect(check({ processes: life({ expected: true }) })).toMatchObject({
    violations: [],
    figures: { exits: 1, askedFor: 1, unexplained: 0 },
  });
});

test('a job that kills its worker explains the end by a signal of the process that ran it, and of no other', () => {
  const dying = (pid: number, end: Partial<ProcessLine>) =>
    check({
      acks: [ack({ kind: 'leaking' })],
      effects: [effect({ phase: 'start', pid, at: 1_200 })],
      processes: life(end),
    }).figures;
  const aborted = { signal: 'SIGABRT', code: null };

  expect(dying(7, aborted)).toMatchObject({ byHostileJobs: 1, unexplained: 0 });
  expect(dying(8, aborted)).toMatchObject({ byHostileJobs: 0, unexplained: 1 });
  expect(dying(7, { code: 1 })).toMatchObject({ byHostileJobs: 0, unexplained: 1 });
});

test('a job that leaves an exception explains an end with code 1, and no other', () => {
  const ending = (end: Partial<ProcessLine>) =>
    check({
      acks: [ack({ kind: 'throwing' })],
      effects: [effect({ phase: 'start', pid: 7, at: 1_200 })],
      processes: life(end),
    }).figures;

  expect(ending({ code: 1 })).toMatchObject({ byHostileJobs: 1, unexplained: 0 });
  expect(ending({ signal: 'SIGABRT', code: null })).toMatchObject({ byHostileJobs: 0, unexplained: 1 });
});

test('a process that cannot start is explained by Postgres being away, and by nothing else', () => {
  const starting = (kind: FaultKind, at?: number) =>
    check({ processes: life({}, false), faults: [faultOf(kind, at)] }).figures;

  expect(starting('postgres-crashed')).toMatchObject({ couldNotStart: 1, unexplained: 0 });
  expect(starting('redis-flushed')).toMatchObject({ couldNotStart: 0, unexplained: 1 });
  expect(starting('postgres-crashed', 3_000)).toMatchObject({ unexplained: 1 });
});

test('a worker that ends as it went deaf is explained by a fault of Redis that it had', () => {
  const sayings = [{ what: 'deaf', pid: 7, jobId: null, attempt: null } as const];
  const deaf = (kind: FaultKind, said = sayings) =>
    check({ processes: life(), faults: [faultOf(kind)], sayings: said }).figures;

  expect(deaf('worker-redis-link-half-open')).toMatchObject({ byWatchdog: 1, unexplained: 0 });
  expect(deaf('redis-full')).toMatchObject({ byWatchdog: 1, unexplained: 0 });
  expect(deaf('api-killed')).toMatchObject({ byWatchdog: 0, unexplained: 1 });
  expect(deaf('redis-full', [])).toMatchObject({ byWatchdog: 0, unexplained: 1 });
});
