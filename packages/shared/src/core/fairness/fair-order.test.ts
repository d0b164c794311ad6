import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FairOrder } from './fair-order.ts';

const GROUP = '0';

/** Lets jobs of this length run one after another, each of the tenant that is next; answers whose they were. */
function serve(
  order: FairOrder,
  lengths: readonly number[],
  { expectedMs }: { expectedMs?: number } = {},
): string[] {
  return lengths.map((ms) => {
    const tenantId = order.take(GROUP);
    if (tenantId === undefined) throw new Error('Nobody is next.');
    order.charge(tenantId, expectedMs ?? ms);
    if (expectedMs !== undefined) order.correct(tenantId, ms - expectedMs);
    order.standAgain();
    return tenantId;
  });
}

const times = (count: number, ms: number) => Array.from({ length: count }, () => ms);
const countOf = (served: readonly string[], tenantId: string) =>
  served.filter((one) => one === tenantId).length;

describe('the fair order', () => {
  test('over any window each has service for its weight, within the length of one job, whatever was expected of it', () => {
    const weights = fc.array(fc.integer({ min: 1, max: 8 }), { minLength: 2, maxLength: 6 });
    const lengths = fc.array(fc.integer({ min: 1, max: 100 }), { minLength: 20, maxLength: 200 });
    fc.assert(
      fc.property(
        weights,
        lengths,
        fc.option(fc.integer({ min: 1, max: 100 })),
        (given, jobs, expectedMs) => {
          const order = new FairOrder();
          const weightOf = new Map(given.map((weight, index) => [String(index), weight]));
          order.weigh(weightOf);
          for (const tenantId of weightOf.keys()) order.join(tenantId, GROUP);
          const had = new Map<string, number>();
          /** How much more one has had than the other, for its weight: the least and the most so far. */
          const apart = new Map<string, { least: number; most: number }>();
          for (const ms of jobs) {
            const [tenantId = ''] = serve(order, [ms], expectedMs === null ? {} : { expectedMs });
            had.set(tenantId, (had.get(tenantId) ?? 0) + ms / (weightOf.get(tenantId) ?? 1));
            for (const one of weightOf.keys())
              for (const other of weightOf.keys()) {
                const difference = (had.get(one) ?? 0) - (had.get(other) ?? 0);
                const { least, most } = apart.get(`${one} ${other}`) ?? { least: 0, most: 0 };
                apart.set(`${one} ${other}`, {
                  least: Math.min(least, difference),
                  most: Math.max(most, difference),
                });
              }
          }
          const longest = Math.max(...jobs);
          for (const [pair, { least, most }] of apart) {
            const [one = '', other = ''] = pair.split(' ');
            const bound = longest / (weightOf.get(one) ?? 1) + longest / (weightOf.get(other) ?? 1);
            expect(most - least).toBeLessThanOrEqual(bound + 1e-6);
          }
        },
      ),
    );
  });

  test('who comes late begins at the present, and makes up for nothing', () => {
    const order = new FairOrder();
    order.join('a', GROUP);
    serve(order, times(1_000, 10));
    order.join('b', GROUP);
    const served = serve(order, times(10, 10));
    expect(countOf(served, 'b')).toBe(5);
    expect(served.slice(0, 2)).toContain('b');
  });

  test('who has drained and comes back sheds nothing of what it has had', () => {
    const order = new FairOrder();
    order.join('a', GROUP);
    order.join('b', GROUP);
    order.charge('a', 100);
    order.leave('a', GROUP);
    serve(order, times(4, 10));
    order.join('a', GROUP);
    expect(serve(order, times(6, 10))).toEqual(times(6, 0).map(() => 'b'));
    expect(serve(order, [10, 10])).toContain('a');
  });

  test('what was charged too little is made up for when it is known', () => {
    const order = new FairOrder();
    for (const tenantId of ['a', 'b']) order.join(tenantId, GROUP);
    order.charge('a', 1);
    order.charge('b', 1);
    order.correct('a', 50);
    expect(countOf(serve(order, times(5, 10)), 'b')).toBe(5);
  });

  test('a group whose lanes are full keeps nobody of another group waiting', () => {
    const order = new FairOrder();
    order.join('a', GROUP);
    order.join('b', '1');
    expect(order.take('1')).toBe('b');
    order.charge('b', 10);
    expect([order.nextPass('1'), order.nextPass(GROUP)]).toEqual([10, 0]);
    order.leave('b', '1');
    expect(order.nextPass('1')).toBeUndefined();
  });

  test('who is taken and not charged stands where it stood', () => {
    const order = new FairOrder();
    for (const tenantId of ['a', 'b']) order.join(tenantId, GROUP);
    const first = order.take(GROUP);
    expect(order.take(GROUP)).not.toBe(first);
    expect(order.take(GROUP)).toBeUndefined();
    order.standAgain();
    expect([order.take(GROUP), order.take(GROUP)].sort()).toEqual(['a', 'b']);
  });

  test('the next process goes on where this one was, and forgets whom the present has overtaken', () => {
    const order = new FairOrder();
    for (const tenantId of ['a', 'b', 'c']) order.join(tenantId, GROUP);
    serve(order, times(300, 10));
    order.charge('a', 500);
    const state = order.state();
    expect(state.passes.map(({ tenantId }) => tenantId)).toEqual(['a']);
    const next = new FairOrder(state);
    for (const tenantId of ['a', 'b', 'c']) next.join(tenantId, GROUP);
    expect(countOf(serve(next, times(40, 10)), 'a')).toBe(0);
  });

  test('only who would begin at the present is forgotten', () => {
    const order = new FairOrder();
    order.charge('rich', 100);
    order.charge('busy', 0);
    order.charge('idle', 0);
    order.join('waiting', GROUP);
    order.forget((tenantId) => tenantId === 'busy');
    order.correct('rich', -50);
    order.join('rich', GROUP);
    serve(order, [10]);
    expect(serve(order, times(5, 10))).toEqual(
      times(4, 0)
        .map(() => 'waiting')
        .concat('rich'),
    );
  });

  test('what tenants that come and go have left behind does not add up', () => {
    setFlagsFromString('--expose-gc');
    const collectGarbage: () => void = runInNewContext('gc');
    const tenants = Array.from({ length: 1_000 }, (_, tenant) => `t${tenant}`);
    const order = new FairOrder();
    // Whoever is ahead stays behind this one, however often it leaves.
    order.join('first', GROUP);
    for (const tenantId of tenants) order.correct(tenantId, 1_000);
    const comeAndGo = (cycles: number) => {
      for (let cycle = 0; cycle < cycles; cycle += 1) {
        for (const tenantId of tenants) order.join(tenantId, GROUP);
        for (const tenantId of tenants) order.leave(tenantId, GROUP);
      }
      collectGarbage();
      return process.memoryUsage().heapUsed;
    };
    const before = comeAndGo(5);
    expect(comeAndGo(300) - before).toBeLessThan(5_000_000);
  });
});
