import { expect, test } from 'vitest';
import { type EngineKind, FAULTS, type FaultKind, traitsOf } from '../kinds.ts';
import { ALL_FAULTS } from './all-faults.ts';
import { scheduleFaults } from './schedule.ts';

const plan = (over: Partial<Parameters<typeof scheduleFaults>[0]> = {}) =>
  scheduleFaults({ engine: 'redis', count: 104, seed: 1, seconds: 400, leftOut: new Set(), ...over });

const facts = (schedule: ReturnType<typeof plan>) =>
  schedule.map(({ fault, atMs, seed }) => [fault.kind, atMs, seed]);
const having = (schedule: ReturnType<typeof plan>, trait: 'wipe' | 'kill9' | 'postgresCrash') =>
  schedule.filter(({ fault }) => traitsOf(fault.kind)[trait]).length;
const possible = (engine: EngineKind) =>
  (Object.keys(FAULTS) as FaultKind[]).filter((kind) => traitsOf(kind).engines.includes(engine));

test('the same seed gives the same faults at the same times, another seed others', () => {
  expect(facts(plan())).toEqual(facts(plan()));
  expect(facts(plan({ seed: 2 }))).not.toEqual(facts(plan()));
});

test('every kind of fault is implemented once', () => {
  expect(ALL_FAULTS.map(({ fault }) => fault.kind).sort()).toEqual(Object.keys(FAULTS).sort());
});

test.each(['redis', 'postgres'] as const)('a standard run has every kind of its engine: %s', (engine) => {
  const kinds = new Set(plan({ engine }).map(({ fault }) => fault.kind));

  expect([...kinds].sort()).toEqual(possible(engine).sort());
});

test('a standard run has 8 wipes, 3 crashes of Postgres and 25 kill -9 at least, on both engines', () => {
  for (const engine of ['redis', 'postgres'] as const) {
    const schedule = plan({ engine });
    expect(schedule).toHaveLength(104);
    expect(having(schedule, 'wipe')).toBeGreaterThanOrEqual(8);
    expect(having(schedule, 'postgresCrash')).toBeGreaterThanOrEqual(3);
    expect(having(schedule, 'kill9')).toBeGreaterThanOrEqual(25);
  }
});

test('a small run has a wipe, a zombie, a crash of Postgres and ten kinds', () => {
  const schedule = plan({ count: 12, seconds: 30 });

  expect(new Set(schedule.map(({ fault }) => fault.kind)).size).toBeGreaterThanOrEqual(10);
  expect(having(schedule, 'wipe')).toBeGreaterThan(0);
  expect(having(schedule, 'postgresCrash')).toBeGreaterThan(0);
  expect(schedule.map(({ fault }) => fault.kind)).toContain('worker-zombie');
});

test('faults come in order, within the time, and what is left out does not come', () => {
  const schedule = plan({ leftOut: new Set(['worker-killed']) });

  expect(schedule.map(({ atMs }) => atMs)).toEqual(schedule.map(({ atMs }) => atMs).sort((a, b) => a - b));
  expect(schedule.at(-1)?.atMs).toBeLessThan(400_000);
  expect(schedule.map(({ fault }) => fault.kind)).not.toContain('worker-killed');
});
