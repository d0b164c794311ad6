import { expect, test } from 'vitest';
import { createFlights, type FlightGroup } from './flights.ts';

const QUICK = new Set(['quick']);

function group(changes: Partial<FlightGroup> = {}): FlightGroup {
  return { tenantId: 'a', type: 'quick', concurrencyKey: null, buildId: 'one', jobs: 1, ...changes };
}

test('flights are counted by lane and tenant as they begin and land', () => {
  const flights = createFlights();
  flights.begin(group({ jobs: 3 }), 0);
  flights.begin(group({ type: 'slow' }), 0);
  flights.begin(group({ tenantId: 'b', buildId: 'two' }), 0);
  flights.land(group({ jobs: 2 }));
  expect([flights.through('one'), flights.through('two')]).toEqual([2, 1]);
  expect([...flights.ofTypes()]).toEqual([
    ['quick', 2],
    ['slow', 1],
  ]);
  expect(flights.of('a', 'one', QUICK)).toEqual({ all: 2, slow: 1 });
  expect(flights.of('b', 'one', QUICK)).toEqual({ all: 0, slow: 0 });
  expect(flights.most('one', new Set())).toEqual({ all: 2, slow: 2 });
  expect([flights.slowThrough('one', QUICK), flights.slowThrough('two', new Set())]).toEqual([1, 1]);
  flights.land(group());
  flights.land(group({ type: 'slow' }));
  expect(flights.groups()).toEqual([group({ tenantId: 'b', buildId: 'two' })]);
  expect([...flights.ofTypes()]).toEqual([['quick', 1]]);
  expect([flights.has('a'), flights.has('b')]).toEqual([false, true]);
});

test('a landing answers what was charged for its jobs, and no more than that', () => {
  const flights = createFlights();
  flights.begin(group({ jobs: 3 }), 30);
  flights.begin(group(), 50);
  expect(flights.land(group({ jobs: 2 }))).toBe(40);
  expect(flights.land(group({ jobs: 3 }))).toBe(40);
  expect(flights.land(group({ tenantId: 'unknown' }))).toBe(0);
});
