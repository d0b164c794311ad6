import fc from 'fast-check';
import { V7Generator } from 'uuidv7';
import { expect, test } from 'vitest';
import { firstUuidOf, uuidTimeMs, WEEK_MS, weekStart } from './week.ts';

const moment = fc.integer({ min: 1, max: 2 ** 48 - 2 });

test('a bound parts the ids of its moment from those of the millisecond before', () => {
  fc.assert(
    fc.property(moment, (ms) => {
      expect(uuidAt(ms) > firstUuidOf(ms)).toBe(true);
      expect(uuidAt(ms - 1) < firstUuidOf(ms)).toBe(true);
    }),
  );
});

test('the time of an id, and of a bound, is read back', () => {
  fc.assert(
    fc.property(moment, (ms) => {
      expect([uuidTimeMs(uuidAt(ms)), uuidTimeMs(firstUuidOf(ms))]).toEqual([ms, ms]);
    }),
  );
});

test('a week begins on Monday and has every moment of its seven days', () => {
  fc.assert(
    fc.property(fc.integer({ min: Date.UTC(1971), max: Date.UTC(9999) }), (ms) => {
      const start = weekStart(ms);
      expect(new Date(start).toISOString()).toMatch(/T00:00:00.000Z$/);
      expect(new Date(start).getUTCDay()).toBe(1);
      expect(ms - start).toBeGreaterThanOrEqual(0);
      expect(ms - start).toBeLessThan(WEEK_MS);
    }),
  );
});

function uuidAt(ms: number): string {
  return new V7Generator().generateOrResetCore(ms, 10_000).toString();
}
