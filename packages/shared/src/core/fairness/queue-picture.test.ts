import { expect, test } from 'vitest';
import {
  addFlights,
  type FlightGroup,
  isHeldBack,
  type LaneWindow,
  mostOfShares,
  roomsOf,
  sumInFlight,
  usedKeys,
} from './queue-picture.ts';

const QUICK = ['quick'];

function group(changes: Partial<FlightGroup>): FlightGroup {
  return { tenantId: 'a', type: 'quick', concurrencyKey: null, buildId: 'one', jobs: 1, ...changes };
}

test('flights are counted group by group, and groups of none are left out', () => {
  const inFlight = [group({ jobs: 3 }), group({ tenantId: 'b' })];
  const begun = [group({}), group({ type: 'slow' }), group({ type: 'slow' })];
  const landed = [group({ jobs: 2 }), group({ tenantId: 'b' })];
  expect(addFlights(inFlight, { begun, landed })).toEqual([
    group({ jobs: 2 }),
    group({ type: 'slow', jobs: 2 }),
  ]);
  expect(inFlight).toEqual([group({ jobs: 3 }), group({ tenantId: 'b' })]);
});

test('a lane has room for what its window holds, less what is in flight through it, and never less than none', () => {
  const lanes = [
    { buildId: 'one', size: 2 },
    { buildId: 'two', size: 2 },
  ];
  const groups = [group({ jobs: 3 }), group({ buildId: 'two', tenantId: 'b' })];
  expect(roomsOf(lanes, sumInFlight(groups, lanes, QUICK))).toEqual([0, 1]);
});

const bounded = (all: number, slow: number): LaneWindow[] => [
  { buildId: 'one', size: 100, mostPerTenant: { all, slow } },
];

test.each([
  ['what the tenant with the most has left of its share', [group({ jobs: 3 }), group({ tenantId: 'b' })], 7],
  ['less where its handlers are slow', [group({ type: 'slow', jobs: 3 })], 5],
  ['nothing where one has more than its share', [group({ jobs: 11 })], 0],
])('jobs of anybody may go up to %s', (_, groups, expected) => {
  const lanes = bounded(10, 8);
  expect(mostOfShares(lanes, sumInFlight(groups, lanes, QUICK))).toBe(expected);
});

test('where there are no shares any number may go', () => {
  const lanes = [{ buildId: 'one', size: 5 }];
  expect(mostOfShares(lanes, sumInFlight([], lanes, QUICK))).toBeNull();
});

test('a line is held back when its tenant has its share of every lane, of its kind', () => {
  const line = { tenantId: 'a', type: 'slow', refusedBy: [], priority: 2, isNew: true, placedBy: '1' };
  const lanes = bounded(10, 4);
  const isHeld = (groups: FlightGroup[], type = 'slow', at = lanes) =>
    isHeldBack({ ...line, type }, at, sumInFlight(groups, at, QUICK), QUICK);
  expect(isHeld([group({ type: 'slow', jobs: 4 })])).toBe(true);
  expect(isHeld([group({ type: 'slow', jobs: 4 })], 'quick')).toBe(false);
  expect(isHeld([group({ tenantId: 'b', type: 'slow', jobs: 4 })])).toBe(false);
  expect(isHeld([group({ jobs: 10 })], 'quick')).toBe(true);
  expect(isHeld([group({ jobs: 10 })], 'quick', [...lanes, { buildId: 'two', size: 1 }])).toBe(false);
});

test('the jobs of a key are counted across types and lanes, by tenant', () => {
  const keyed = { concurrencyKey: 'k' };
  const groups = [
    group(keyed),
    group({ ...keyed, type: 'slow', jobs: 2 }),
    group({ ...keyed, tenantId: 'b' }),
    group({}),
  ];
  expect(usedKeys(groups)).toEqual([
    { tenantId: 'a', concurrencyKey: 'k', jobs: 3 },
    { tenantId: 'b', concurrencyKey: 'k', jobs: 1 },
  ]);
});
