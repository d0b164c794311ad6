import fc from 'fast-check';
import { beforeEach, expect, test } from 'vitest';
import { FairOrder } from './fair-order.ts';
import { gateOf } from './gates.ts';
import { type Line, type LineName, QueueLines } from './queue-lines.ts';

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
/** Those that are open, of tenant `a`, the first of their kind first. */
function openLines(): Line[] {
  const kinds = [...(lines.of('a').open.get('0')?.values() ?? [])];
  const found = kinds.flatMap((byAge) => {
    const inOrder: Line[] = [];
    for (let line = byAge.first(); line; line = byAge.first()) {
      inOrder.push(line);
      byAge.setAside();
    }
    byAge.putBack();
    return inOrder;
  });
  expect(found).toHaveLength(kinds.reduce((sum, { size }) => sum + size, 0));
  return found;
}

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
  expect(openLines().map(({ blockedBy }) => blockedBy)).toEqual(['other']);
  lines.gates.open(KEY);
  expect(openLines()).toHaveLength(2);
  lines.gates.close(KEY, false);
  lines.gates.openAll();
  expect(openLines()).toHaveLength(2);
});

test('a priority that waits behind a gate keeps its turn until that opens, and what did not go counts for nothing', () => {
  const [urgent, normal] = [{ ...blocked('k'), priority: 1 }, blocked('k')];
  for (const name of [urgent, normal]) lines.add(name, placed(1, 100));
  const order: number[] = [];
  while (order.length < 9) {
    const { urgency } = lines.of('a');
    const priorities = openLines().map(({ priority }) => priority);
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
  expect(openLines().map(({ blockedBy }) => blockedBy)).toEqual([null, null]);
});

test('gates that jobs of other queues fill are looked at again', () => {
  for (const key of ['here', 'there']) {
    lines.add(blocked(key), placed(1));
    lines.gates.close(gateOf.key('a', key), key === 'there');
  }
  expect(lines.gates.isAnyHeldElsewhere()).toBe(true);
  lines.gates.openHeldElsewhere();
  expect(openLines().map(({ blockedBy }) => blockedBy)).toEqual(['there']);
  expect(lines.gates.isAnyHeldElsewhere()).toBe(false);
  lines.remove(blocked('here'));
  lines.add(blocked('here'), placed(3));
  expect(openLines()).toHaveLength(2);
});

test('a priority that comes anew makes up for nothing', () => {
  lines.add(name(), placed(1, 1_000));
  const { urgency } = lines.of('a');
  for (let taken = 0; taken < 100; taken += 1) urgency.take(2);
  lines.add(name({ priority: 3 }), placed(1));
  for (let taken = 0; taken < 7; taken += 1) {
    expect(urgency.next([2, 3])).toBe(2);
    urgency.take(2);
  }
  expect(urgency.next([2, 3])).toBe(3);
});

test('lines that are alike go by age, however they change, and what is set aside comes back', () => {
  const keys = fc.constantFrom('k', 'l', 'm', 'n');
  const change = fc.oneof(
    fc.record({
      kind: fc.constant('add'),
      key: keys,
      at: fc.integer({ min: 1, max: 99 }),
      isNew: fc.boolean(),
    }),
    fc.record({
      kind: fc.constantFrom('advance', 'remove', 'close', 'open'),
      key: keys,
      at: fc.nat(99),
      isNew: fc.boolean(),
    }),
  );
  fc.assert(
    fc.property(fc.array(change, { maxLength: 200 }), (changes) => {
      lines = new QueueLines(new FairOrder());
      lines.regroup(() => '0');
      const closed = new Set<string>();
      for (const { kind, key, at, isNew } of changes) {
        const line = { ...blocked(key), isNew };
        const known = lines.all().find((one) => one.blockedBy === key && one.isNew === isNew);
        if (kind === 'add') lines.add(line, placed(at));
        else if (kind === 'advance' && known) lines.advance(known, 0, known.placedBy + BigInt(at));
        else if (kind === 'remove') lines.remove(line);
        else if (kind === 'close' && known) {
          lines.gates.close(gateOf.key('a', key), false);
          closed.add(key);
        } else if (kind === 'open') {
          lines.gates.open(gateOf.key('a', key));
          closed.delete(key);
        }
        if (!lines.all().some(({ blockedBy }) => blockedBy === key)) closed.delete(key);
        const open = lines.all().filter(({ blockedBy }) => !closed.has(blockedBy ?? ''));
        const ages = (of: Line[]) => of.map((one) => Number(one.placedBy) + (one.isNew ? 1e9 : 0));
        expect(ages(openLines())).toEqual(ages(open).sort((one, other) => one - other));
      }
    }),
  );
});
