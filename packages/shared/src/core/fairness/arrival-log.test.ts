import { expect, test } from 'vitest';
import { createArrivalLog } from './arrival-log.ts';

const LINE = { queue: 'default', tenantId: 'a', priority: 2 };

/** Has so many come a second, evenly. */
function come(
  log: ReturnType<typeof createArrivalLog>,
  perSecond: number,
  fromMs: number,
  toMs: number,
  line = LINE,
) {
  for (let ms = fromMs; ms < toMs; ms += 1_000 / perSecond) log.note(line, ms);
}

test('how many came since is known to a moment, and still about so when it is long ago', () => {
  const log = createArrivalLog(0);
  come(log, 100, 0, 300_000);
  expect(log.since(LINE, 299_000)).toBeGreaterThan(90);
  expect(log.since(LINE, 299_000)).toBeLessThan(110);
  for (const ms of [10_000, 100_000, 250_000]) {
    expect(log.since(LINE, ms) / ((300_000 - ms) / 10)).toBeGreaterThan(0.95);
    expect(log.since(LINE, ms) / ((300_000 - ms) / 10)).toBeLessThan(1.05);
  }
  expect(log.since({ ...LINE, priority: 1 }, 0)).toBe(0);
});

test('who came in a burst had those before it that came before, and none of those that came later', () => {
  const log = createArrivalLog(0);
  come(log, 1_000, 10_000, 11_000);
  come(log, 1, 20_000, 30_000);
  expect(log.since(LINE, 10_500)).toBeGreaterThan(450);
  expect(log.since(LINE, 10_500)).toBeLessThan(560);
  expect(log.since(LINE, 15_000)).toBeGreaterThan(9);
  expect(log.since(LINE, 15_000)).toBeLessThanOrEqual(10);
  expect(log.since(LINE, 30_000)).toBe(0);
});

test('the pace is that since a moment, by line', () => {
  const log = createArrivalLog(0);
  come(log, 100, 0, 10_000);
  come(log, 20, 5_000, 10_000, { ...LINE, tenantId: 'b' });
  come(log, 50, 0, 10_000, { ...LINE, queue: 'other' });
  const paces = new Map(log.pace('default', 7_000, 10_000).map((one) => [one.tenantId, one.perSecond]));
  expect(paces.get('a')).toBeGreaterThan(90);
  expect(paces.get('a')).toBeLessThan(110);
  expect(paces.get('b')).toBeGreaterThan(18);
  expect(paces.get('b')).toBeLessThan(22);
  expect(paces.size).toBe(2);
  expect(log.pace('default', 50_000, 60_000)).toEqual([]);
});

test('a thousand lines more than are remembered take no more room, and what is told is told to be incomplete', () => {
  const log = createArrivalLog(0);
  for (let tenant = 0; tenant < 3_000; tenant += 1) log.note({ ...LINE, tenantId: String(tenant) }, tenant);
  expect(log.since({ ...LINE, tenantId: '0' }, -1)).toBe(0);
  expect(log.since({ ...LINE, tenantId: '2999' }, -1)).toBe(1);
  expect(log.isCompleteSince(2_999)).toBe(true);
  expect(log.isCompleteSince(2_998)).toBe(false);
});
