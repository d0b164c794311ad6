import { beforeEach, expect, test } from 'vitest';
import { FairOrder } from './fair-order.ts';
import { gateOf } from './gates.ts';
import { type LineName, QueueLines } from './queue-lines.ts';

const name = (changes: Partial<LineName> = {}): LineName => ({
  ...{
    tenantId: 'a',
    type: 'quick',
    refusedBy: [],
    priority: 2,
    isNew: true,
    isKeyed: false,
    blockedBy: null,
  },
  ...changes,
});
const placed = (placedBy: number, jobs = 1) => ({ placedBy: BigInt(placedBy), jobs });
const blocked = (key: string) => name({ isKeyed: true, blockedBy: key });

let order = new FairOrder();
let lines = new QueueLines(order);
beforeEach(() => {
  order = new FairOrder();
  lines = new QueueLines(order);
  lines.regroup(() => '0');
});
const isWaiting = () => order.nextPass('0') !== undefined;

test('jobs that come later lengthen their line, which begins no later for that', () => {
  lines.add(name(), placed(7, 2));
  lines.add(name(), placed(5));
  lines.add(name(), placed(9));
  expect(lines.all()).toEqual([{ ...name(), ...placed(5, 4) }]);
  const [line] = lines.all();
  if (line) lines.advance(line, 3, 8n);
  expect(lines.all()).toEqual([{ ...name(), ...placed(8, 1) }]);
});

test('a tenant stands in the fair order as long as it has a line that a lane takes', () => {
  expect(isWaiting()).toBe(false);
  lines.add(name(), placed(1));
  lines.add(name({ priority: 0 }), placed(1));
  lines.remove(name());
  expect(isWaiting()).toBe(true);
  lines.regroup(() => '');
  expect(isWaiting()).toBe(false);
  lines.regroup(() => '0');
  expect(isWaiting()).toBe(true);
  lines.keepOnly([name()]);
  expect([isWaiting(), lines.all()]).toEqual([false, []]);
});

const KEY = gateOf.key('a', 'k');

test('lines behind a gate that is full are stepped over until it opens, and others are not', () => {
  lines.add(blocked('k'), placed(1));
  lines.gates.close(KEY, false);
  expect(isWaiting()).toBe(false);
  lines.gates.open(gateOf.key('a', 'other'));
  lines.gates.open(gateOf.key('b', 'k'));
  expect(isWaiting()).toBe(false);
  lines.add(blocked('k'), placed(2));
  lines.add(blocked('other'), placed(2));
  expect([...lines.of('a', '0').lines].map(({ blockedBy }) => blockedBy)).toEqual(['other']);
  lines.gates.open(KEY);
  expect([...lines.of('a', '0').lines]).toHaveLength(2);
  lines.gates.close(KEY, false);
  lines.gates.openAll();
  expect([...lines.of('a', '0').lines]).toHaveLength(2);
});

test('a priority that waits behind a gate keeps its turn until that opens, and what did not go counts for nothing', () => {
  const [urgent, normal] = [{ ...blocked('k'), priority: 1 }, blocked('k')];
  for (const name of [urgent, normal]) lines.add(name, placed(1, 100));
  const order: number[] = [];
  while (order.length < 9) {
    const { lines: open, urgency } = lines.of('a', '0');
    const priorities = [...open].map(({ priority }) => priority);
    const next = urgency.next(priorities);
    if (next === undefined) throw new Error('No priority has its turn.');
    // One finds a slot, and nobody else of those that were chosen.
    for (const priority of [next, ...priorities]) urgency.take(priority);
    for (const name of [urgent, normal]) lines.giveBack(name, 1);
    order.push(next);
    lines.gates.close(KEY, false);
    lines.gates.open(KEY);
  }
  expect(order.filter((priority) => priority === 2)).toHaveLength(1);
});

test.each([
  ['queue', gateOf.queue()],
  ['type', gateOf.type('quick')],
  ['tenant', gateOf.tenant('a')],
])('a %s that is paused holds its lines back, also those that come, and what is full stays so', (_, gate) => {
  lines.add(name(), placed(1));
  lines.add(blocked('k'), placed(1));
  lines.gates.close(KEY, false);
  lines.gates.pause(new Set([gate]));
  lines.add(name({ priority: 0 }), placed(1));
  lines.gates.open(gate);
  expect(isWaiting()).toBe(false);
  lines.gates.pause(new Set());
  expect([...lines.of('a', '0').lines].map(({ blockedBy }) => blockedBy)).toEqual([null, null]);
});

test('gates that jobs of other queues fill are looked at again', () => {
  for (const key of ['here', 'there']) {
    lines.add(blocked(key), placed(1));
    lines.gates.close(gateOf.key('a', key), key === 'there');
  }
  expect(lines.gates.isAnyHeldElsewhere()).toBe(true);
  lines.gates.openHeldElsewhere();
  expect([...lines.of('a', '0').lines].map(({ blockedBy }) => blockedBy)).toEqual(['there']);
  expect(lines.gates.isAnyHeldElsewhere()).toBe(false);
  lines.remove(blocked('here'));
  lines.add(blocked('here'), placed(3));
  expect([...lines.of('a', '0').lines]).toHaveLength(2);
});

test('a priority that comes anew makes up for nothing', () => {
  lines.add(name(), placed(1, 1_000));
  const { urgency } = lines.of('a', '0');
  for (let taken = 0; taken < 100; taken += 1) urgency.take(2);
  lines.add(name({ priority: 3 }), placed(1));
  for (let taken = 0; taken < 7; taken += 1) {
    expect(urgency.next([2, 3])).toBe(2);
    urgency.take(2);
  }
  expect(urgency.next([2, 3])).toBe(3);
});
