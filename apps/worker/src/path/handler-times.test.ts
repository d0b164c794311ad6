import { expect, test } from 'vitest';
import { createHandlerTimes } from './handler-times.ts';

function setUp() {
  const clock = { ms: 0 };
  const times = createHandlerTimes({ slots: 2, now: () => clock.ms });
  const run = (ms: number, { type = 'test', count = 1 } = {}) => {
    for (let n = 0; n < count; n += 1) {
      const end = times.begin(type);
      clock.ms += ms;
      end();
    }
  };
  return { clock, times, run };
}

test('the time that handlers take is learned, and soon again when they become slow', () => {
  const { times, run } = setUp();
  expect(times.handlerMs()).toBe(1_000);
  run(2, { count: 200 });
  expect(times.handlerMs()).toBeCloseTo(2, 0);
  run(1_000, { count: 5 });
  expect(times.handlerMs()).toBeGreaterThan(200);
});

test('a handler that has not ended yet is slow already', () => {
  const { clock, times, run } = setUp();
  run(0, { count: 200 });
  expect(times.quickTypes()).toEqual(['test']);
  const ends = [times.begin('test'), times.begin('test')];
  clock.ms += 1_000;
  expect(times.handlerMs()).toBe(1_000);
  expect(times.quickTypes()).toEqual([]);
  for (const end of ends) end();
});

test('a type that was never seen, or hardly, is not quick, and what others take says nothing of it', () => {
  const { times, run } = setUp();
  run(2, { type: 'quick', count: 200 });
  expect(times.isQuick('new')).toBe(false);
  run(2, { type: 'new' });
  expect(times.quickTypes()).toEqual(['quick']);
});

test('slow types do not make the quick ones of their queue slow', () => {
  const { clock, times, run } = setUp();
  run(5, { type: 'quick', count: 200 });
  run(10_000, { type: 'slow', count: 20 });
  times.begin('slow');
  clock.ms += 60_000;
  expect(times.quickTypes()).toEqual(['quick']);
  expect(times.handlerMs()).toBeCloseTo(5, 0);
});
