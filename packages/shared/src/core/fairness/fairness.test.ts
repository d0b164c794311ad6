import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { chooseFairly, type InFlight, type ReadyJob } from './fairness.ts';

const nothing: InFlight = {
  byTenant: new Map(),
  byKey: new Map(),
  byTenantAndLane: new Map(),
  slowByTenantAndLane: new Map(),
};
const most = (all: number, slow = all) => ({ all, slow });

function jobs(tenantId: string, count: number, overrides: Partial<ReadyJob> = {}): ReadyJob[] {
  return Array.from({ length: count }, (_, index) => ({
    id: `${tenantId}${index}`,
    tenantId,
    priority: 2,
    concurrencyKey: null,
    concurrencyLimit: null,
    lanes: [0],
    isQuick: true,
    ...overrides,
  }));
}

/** Chooses for one lane that has `room`. */
function chooseIds(ready: ReadyJob[], room: number, inFlight: InFlight): string[] {
  return chooseFairly(ready, [room], inFlight).jobs.map(({ id }) => id);
}

describe('chooseFairly', () => {
  test('tenants take turns, however long their queues are', () => {
    expect(chooseIds([...jobs('a', 100), ...jobs('b', 2)], 5, nothing)).toEqual([
      'a0',
      'b0',
      'a1',
      'b1',
      'a2',
    ]);
  });

  test('a tenant with jobs in flight waits until the others have as many', () => {
    const inFlight = { ...nothing, byTenant: new Map([['a', 3]]) };
    expect(chooseIds([...jobs('a', 9), ...jobs('b', 9)], 4, inFlight)).toEqual(['b0', 'b1', 'b2', 'a0']);
  });

  test('of tenants that have as many in flight, the one with the more urgent job is first', () => {
    const urgent = jobs('b', 1, { priority: 0 });
    expect(chooseIds([...urgent, ...jobs('a', 2)], 3, nothing)).toEqual(['b0', 'a0', 'a1']);
  });

  test('the urgent jobs of a tenant delay those of others no more than its other jobs do', () => {
    const critical = jobs('a', 800, { priority: 0 });
    expect(chooseIds([...critical, ...jobs('b', 2)], 4, nothing)).toEqual(['a0', 'b0', 'a1', 'b1']);
  });

  test('a key at its limit is passed over, its neighbours are not', () => {
    const keyed = jobs('a', 3, { concurrencyKey: 'k', concurrencyLimit: 2 });
    const inFlight = { ...nothing, byKey: new Map([['a k', 1]]) };
    const free = jobs('a', 1, { id: 'free' });
    expect(chooseIds([...keyed, ...free], 10, inFlight)).toEqual(['a0', 'free']);
  });

  test('of the lanes that take a job it goes to the one with the most room, and one without room hides no others', () => {
    const both = jobs('a', 3, { lanes: [0, 1] });
    const onlyFull = jobs('b', 2, { lanes: [2] });
    expect(chooseFairly([...onlyFull, ...both], [1, 3, 0], nothing).jobs).toEqual([
      { id: 'a0', lane: 1 },
      { id: 'a1', lane: 1 },
      { id: 'a2', lane: 0 },
    ]);
  });

  test('a tenant that has its share of a lane gets no more of it, whatever is free, and hides no others', () => {
    const inFlight = { ...nothing, byTenantAndLane: new Map([['a 0', 2]]) };
    const ready = [...jobs('a', 5), ...jobs('b', 1)];
    expect(chooseFairly(ready, [10], inFlight, [most(4)])).toEqual({
      jobs: ['a0', 'b0', 'a1'].map((id) => ({ id, lane: 0 })),
      heldBack: 3,
    });
  });

  test('of jobs that are slow, or not known to be quick, a tenant has its share and nothing ahead of it', () => {
    const inFlight = {
      ...nothing,
      byTenantAndLane: new Map([['a 0', 3]]),
      slowByTenantAndLane: new Map([['a 0', 1]]),
    };
    const ready = [...jobs('a', 3, { isQuick: false }), ...jobs('a', 9, { id: 'quick' })];
    expect(chooseFairly(ready, [20], inFlight, [most(7, 2)])).toEqual({
      jobs: ['a0', 'quick', 'quick', 'quick'].map((id) => ({ id, lane: 0 })),
      heldBack: 8,
    });
  });

  test('a share of one lane leaves the others to the tenant', () => {
    const ready = jobs('a', 5, { lanes: [0, 1] });
    const { jobs: chosen, heldBack } = chooseFairly(ready, [10, 10], nothing, [most(1), most(2)]);
    expect(chosen.map(({ lane }) => lane).sort()).toEqual([0, 1, 1]);
    expect(heldBack).toBe(2);
    expect(chooseFairly(ready, [10, 10], nothing, [most(1)]).jobs).toHaveLength(5);
  });

  test('what has no room is not held back by a share', () => {
    expect(chooseFairly(jobs('a', 5), [2], nothing, [most(4)])).toMatchObject({
      jobs: [{}, {}],
      heldBack: 0,
    });
  });

  test('never more than there is room, never twice, never over a limit, never idle with work at hand', () => {
    const arbitraryJobs = fc
      .array(
        fc.record({
          tenantId: fc.constantFrom('a', 'b', 'c'),
          priority: fc.nat(3),
          concurrencyKey: fc.constantFrom(null, 'k', 'l'),
          concurrencyLimit: fc.constantFrom(1, 2),
          lanes: fc.constantFrom([], [0], [1], [0, 1]),
          isQuick: fc.boolean(),
        }),
        { maxLength: 40 },
      )
      .map((list) => list.map((job, index) => ({ ...job, id: String(index) })));
    fc.assert(
      fc.property(arbitraryJobs, fc.tuple(fc.nat(15), fc.nat(15)), (ready, rooms) => {
        const { jobs } = chooseFairly(ready, rooms, nothing);
        const laneOf = new Map(jobs.map(({ id, lane }) => [id, lane]));
        const chosen = ready.filter(({ id }) => laneOf.has(id));
        expect(laneOf.size).toBe(chosen.length);
        const left = rooms.map(
          (room, lane) => room - chosen.filter(({ id }) => laneOf.get(id) === lane).length,
        );
        expect(Math.min(...left)).toBeGreaterThanOrEqual(0);
        for (const { id, lanes } of chosen) expect(lanes).toContain(laneOf.get(id));
        for (const job of chosen) {
          if (job.concurrencyKey === null) continue;
          const same = chosen.filter(
            (other) => other.tenantId === job.tenantId && other.concurrencyKey === job.concurrencyKey,
          );
          expect(same.length).toBeLessThanOrEqual(Math.max(...same.map((other) => other.concurrencyLimit)));
        }
        const passedOver = ready.filter((job) => job.concurrencyKey === null && !laneOf.has(job.id));
        for (const { lanes } of passedOver) for (const lane of lanes) expect(left[lane]).toBe(0);
      }),
    );
  });
});
