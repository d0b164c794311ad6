import fc from 'fast-check';
import { beforeEach, expect, test } from 'vitest';
import { createOvertaking } from './overtaking.ts';

const LANE = 'one';
const SIZE = 40;
let overtaking = createOvertaking();
beforeEach(() => {
  overtaking = createOvertaking();
});

/** Sends so many jobs of a tenant into the lane; answers how many of them go ahead. */
function send(tenantId: string, jobs: number, size = SIZE, weights = new Map<string, number>()): number {
  return overtaking.begin(
    { buildId: LANE, size, weights },
    Array.from({ length: jobs }, () => ({ tenantId })),
  ).size;
}
const land = (tenantId: string, jobs: number) =>
  overtaking.land({ tenantId, type: 'a', concurrencyKey: null, buildId: LANE, jobs });

test('a newcomer goes before whoever has filled the window, with its part of it', () => {
  expect(send('large', 36)).toBe(0);
  expect(send('small', 4)).toBe(4);
  expect(send('small', 30)).toBe(16);
});

test('the part of the window is by weight', () => {
  const weights = new Map([['heavy', 3]]);
  expect(send('heavy', 30, SIZE, weights)).toBe(0);
  expect(send('light', 15, SIZE, weights)).toBe(10);
  overtaking = createOvertaking();
  expect(send('heavy', 14, SIZE, weights)).toBe(0);
  expect(send('light', 5, SIZE, weights)).toBe(0);
});

test('nobody is overtaken that has little', () => {
  expect(send('one', 40)).toBe(0);
  expect(send('one', 5)).toBe(0);
  land('one', 35);
  expect(send('other', 5)).toBe(0);
  expect(send('third', 5)).toBe(0);
  land('one', 10);
  expect(send('third', 5)).toBe(0);
});

test('what a tenant has behind counts to its part, and what it had within the last window of jobs', () => {
  send('small', 5);
  send('large', 35);
  expect(send('small', 25)).toBe(15);
  land('small', 8);
  expect(send('small', 1)).toBe(0);
  land('small', 20);
  expect(send('small', 1)).toBe(0);
  send('large', 39);
  expect(send('small', 3)).toBe(3);
});

test('what stands behind moves at half the pace at least, but for a window', () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.record({ tenantId: fc.constantFrom('a', 'b', 'c', 'd'), jobs: fc.integer({ min: 1, max: 9 }) }),
        {
          minLength: 20,
          maxLength: 200,
        },
      ),
      (sent) => {
        overtaking = createOvertaking();
        let [ahead, behind] = [0, send('large', 9, 10)];
        for (const { tenantId, jobs } of sent) {
          const before = send(tenantId, jobs, 10);
          ahead += before;
          behind += jobs - before;
          land(tenantId, jobs);
          expect(ahead).toBeLessThanOrEqual(behind + 10);
        }
      },
    ),
  );
});

test('a look at all that is in flight corrects what is known, and forgets nobody who went ahead', () => {
  send('large', 30);
  expect(send('small', 5)).toBe(5);
  const group = { type: 'a', concurrencyKey: null, buildId: LANE };
  overtaking.lookAnew([
    { ...group, tenantId: 'large', jobs: 20 },
    { ...group, tenantId: 'small', jobs: 3 },
    { ...group, tenantId: 'unknown', jobs: 15 },
  ]);
  expect(send('small', 1)).toBe(1);
  expect(send('unknown', 1)).toBe(0);
  expect(send('large', 1)).toBe(0);
});

/**
 * Two tenants have more to do than there is room for: in their fair order jobs fill the window, the engine hands over what is first,
 * and so many end before each refill. Answers who was handed over, one after another.
 */
function handOver(heavyWeight: number, size: number, portions: readonly number[]): string[] {
  const weights = new Map([['heavy', heavyWeight]]);
  const passes = { light: 0, heavy: 0 };
  const next = () => {
    const tenantId = passes.light < passes.heavy ? ('light' as const) : ('heavy' as const);
    passes[tenantId] += tenantId === 'heavy' ? 1 / heavyWeight : 1;
    return { tenantId };
  };
  let engine: { tenantId: string }[] = [];
  return portions.flatMap((portion) => {
    const jobs = Array.from({ length: size - engine.length }, next);
    const ahead = overtaking.begin({ buildId: LANE, size, weights }, jobs);
    engine = [...ahead, ...engine, ...jobs.filter((job) => !ahead.has(job))];
    const handed = engine.splice(0, portion).map(({ tenantId }) => tenantId);
    for (const tenantId of handed) land(tenantId, 1);
    return handed;
  });
}

test('who waits as long as others is handed over by weight, however large the refills', () => {
  // Each of the two may be a job ahead of its part, and a job behind it. Of 60,000 runs at random five came to more than 2, and a search
  // for the worst to 2.75.
  const [size, MOST_JOBS_APART] = [120, 4];
  const portions = fc.array(fc.integer({ min: 1, max: size }), { minLength: 20, maxLength: 60 });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 5 }), portions, (heavyWeight, sizes) => {
      overtaking = createOvertaking();
      const isLight = handOver(heavyWeight, size, sizes).map((tenantId) => Number(tenantId === 'light'));
      let [service, least, most] = [0, 0, 0];
      for (const light of isLight) {
        service += light - 1 / (1 + heavyWeight);
        [least, most] = [Math.min(least, service), Math.max(most, service)];
      }
      expect(most - least).toBeLessThanOrEqual(MOST_JOBS_APART);
    }),
  );
});
