import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { chooseFairly, type InFlight, type ReadyJob } from './fairness.ts';

const nothing: InFlight = { byTenant: new Map(), byKey: new Map() };

function jobs(tenantId: string, count: number, overrides: Partial<ReadyJob> = {}): ReadyJob[] {
  return Array.from({ length: count }, (_, index) => ({
    id: `${tenantId}${index}`,
    tenantId,
    priority: 2,
    concurrencyKey: null,
    concurrencyLimit: null,
    ...overrides,
  }));
}

describe('chooseFairly', () => {
  test('tenants take turns, however long their queues are', () => {
    expect(chooseFairly([...jobs('a', 100), ...jobs('b', 2)], 5, nothing)).toEqual([
      'a0',
      'b0',
      'a1',
      'b1',
      'a2',
    ]);
  });

  test('a tenant with jobs in flight waits until the others have as many', () => {
    const inFlight = { ...nothing, byTenant: new Map([['a', 3]]) };
    expect(chooseFairly([...jobs('a', 9), ...jobs('b', 9)], 4, inFlight)).toEqual(['b0', 'b1', 'b2', 'a0']);
  });

  test('a more urgent job goes first, whoever it belongs to', () => {
    const urgent = jobs('b', 1, { priority: 0 });
    expect(chooseFairly([...jobs('a', 2), ...urgent], 3, nothing)[0]).toBe('b0');
  });

  test('a key at its limit is passed over, its neighbours are not', () => {
    const keyed = jobs('a', 3, { concurrencyKey: 'k', concurrencyLimit: 2 });
    const inFlight = { ...nothing, byKey: new Map([['a k', 1]]) };
    const free = jobs('a', 1, { id: 'free' });
    expect(chooseFairly([...keyed, ...free], 10, inFlight)).toEqual(['a0', 'free']);
  });

  test('never more than the slots, never twice, never over a limit, never idle with work at hand', () => {
    const arbitraryJobs = fc
      .array(
        fc.record({
          tenantId: fc.constantFrom('a', 'b', 'c'),
          priority: fc.nat(3),
          concurrencyKey: fc.constantFrom(null, 'k', 'l'),
          concurrencyLimit: fc.constantFrom(1, 2),
        }),
        { maxLength: 40 },
      )
      .map((list) => list.map((job, index) => ({ ...job, id: String(index) })));
    fc.assert(
      fc.property(arbitraryJobs, fc.nat(30), (ready, slots) => {
        const chosen = chooseFairly(ready, slots, nothing);
        expect(chosen.length).toBeLessThanOrEqual(slots);
        expect(new Set(chosen).size).toBe(chosen.length);
        const taken = ready.filter((job) => chosen.includes(job.id));
        for (const job of taken) {
          if (job.concurrencyKey === null) continue;
          const same = taken.filter(
            (other) => other.tenantId === job.tenantId && other.concurrencyKey === job.concurrencyKey,
          );
          expect(same.length).toBeLessThanOrEqual(Math.max(...same.map((other) => other.concurrencyLimit)));
        }
        const unkeyed = ready.filter((job) => job.concurrencyKey === null).length;
        expect(chosen.length).toBeGreaterThanOrEqual(Math.min(slots, unkeyed));
      }),
    );
  });
});
