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

test('a type is quick once some of it have run, and what others take says nothing of it', () => {
  const { times, run } = setUp();
  expect(times.isQuick('test')).toBe(false);
  run(2, { count: 200 });
  run(2, { type: 'new' });
  run(10_000, { type: 'slow', count: 20 });
  expect(['test', 'new', 'slow'].filter(times.isQuick)).toEqual(['test']);
  run(1_000, { count: 50 });
  expect(times.isQuick('test')).toBe(false);
});

test('a type of which handlers hang is slow already, and those that have ended are none of it', () => {
  const { clock, times, run } = setUp();
  run(0, { count: 200 });
  run(10_000, { type: 'slow', count: 20 });
  expect(times.slowTypes()).toEqual([]);
  const ends = [times.begin('test'), times.begin('test')];
  clock.ms += 1_000;
  expect([times.slowTypes(), times.isQuick('test')]).toEqual([['test'], false]);
  for (const end of ends) end();
  expect([times.slowTypes(), times.isQuick('test')]).toEqual([[], true]);
});

test('what is usual counts those that run as well, and after it was forgotten only those that began since', () => {
  const { clock, times, run } = setUp();
  run(20, { count: 30 });
  const end = times.begin('test');
  clock.ms += 5_000;
  expect(times.usual()).toMatchObject([{ type: 'test', count: 31, ms: expect.closeTo(25, 0) }]);
  expect(times.isBusy()).toBe(true);
  times.forget();
  expect([times.usual(), times.isBusy()]).toMatchObject([[{ type: 'test', count: 0 }], false]);
  end();
  expect(times.usual()).toMatchObject([{ count: 0 }]);
  run(40);
  expect(times.usual()).toMatchObject([{ count: 1, ms: expect.closeTo(40) }]);
});
