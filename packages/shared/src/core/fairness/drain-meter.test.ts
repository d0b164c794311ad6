import { expect, test } from 'vitest';
import { createDrainMeter } from './drain-meter.ts';

type Meter = ReturnType<typeof createDrainMeter>;

/** Has so many end a second, evenly, for some seconds of turns that are 10 ms apart. */
function end(meter: Meter, fromMs: number, perSecond: number, seconds: number, isBusy = true): number {
  let before = 0;
  for (let ms = 0; ms <= seconds * 1_000; ms += 10) {
    const by = Math.floor((ms / 1_000) * perSecond);
    meter.see({ ended: by - before, isBusy }, fromMs + ms);
    before = by;
  }
  return fromMs + seconds * 1_000;
}

test.each([500, 20, 3, 0.4])(
  'of a busy queue from which %d jobs a second end as many are told',
  (perSecond) => {
    const meter = createDrainMeter();
    end(meter, 0, perSecond, 40);
    expect(meter.perSecond()).toBeGreaterThan(perSecond * 0.7);
    expect(meter.perSecond()).toBeLessThan(perSecond * 1.3);
  },
);

test('it follows within two seconds', () => {
  const meter = createDrainMeter();
  end(meter, end(meter, 0, 400, 2), 100, 2);
  expect(meter.perSecond()).toBeGreaterThan(95);
  expect(meter.perSecond()).toBeLessThan(120);
});

test('nothing is known before anything was measured, nor while handlers idle', () => {
  const meter = createDrainMeter();
  end(meter, 0, 400, 0.3);
  expect(meter.perSecond()).toBeUndefined();
  const after = end(meter, 300, 400, 1);
  expect(meter.perSecond()).toBeDefined();
  end(meter, after, 50, 0.1, false);
  expect(meter.perSecond()).toBeUndefined();
});

test('what happened while nobody looked does not count', () => {
  const meter = createDrainMeter();
  const after = end(meter, 0, 400, 2);
  end(meter, after + 60_000, 400, 1);
  expect(meter.perSecond()).toBeGreaterThan(390);
});
