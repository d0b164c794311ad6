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
  land('small', 4);
  expect(send('small', 30)).toBe(20);
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

test('what a tenant has behind counts to its part', () => {
  send('small', 5);
  send('large', 35);
  expect(send('small', 25)).toBe(15);
  land('small', 8);
  expect(send('small', 1)).toBe(0);
  land('small', 20);
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
