import { expect, test } from 'vitest';
import { faultSeconds, loadSeconds, parseOptions } from './options.ts';

test('without options a run is small, on Redis', () => {
  expect(parseOptions([])).toMatchObject({
    size: 'small',
    engine: 'redis',
    jobs: 5_000,
    control: false,
    json: undefined,
  });
});

test('each option is taken', () => {
  const args =
    '--size standard --engine postgres --jobs 20 --faults 3 --seed 7 --minutes 2 --control --json x';

  expect(parseOptions(args.split(' '))).toEqual({
    size: 'standard',
    engine: 'postgres',
    jobs: 20,
    faults: 3,
    seed: 7,
    minutes: 2,
    control: true,
    json: 'x',
    folder: undefined,
  });
});

test.each([
  [['--size', 'huge'], '--size is "huge"'],
  [['--engine', 'kafka'], '--engine is "kafka"'],
  [['--jobs', 'many'], '--jobs is "many"'],
  [['--seed=-1'], '--seed is "-1"'],
  [['--sede', '1'], '--sede'],
])('%s is refused', (args, words) => {
  expect(() => parseOptions(args)).toThrow(words);
});

test('a standard run has its load within ten minutes, and time for every fault', () => {
  const seconds = loadSeconds(parseOptions(['--size', 'standard']));

  expect(seconds).toBeLessThanOrEqual(600);
  expect(seconds / 104).toBeGreaterThan(3);
});

test('a soak takes an hour, of which the last forty minutes are calm enough to measure memory', () => {
  const soak = parseOptions(['--size', 'soak']);

  expect(loadSeconds(soak) / 60).toBeCloseTo(60, 0);
  expect((loadSeconds(soak) - faultSeconds(soak)) / 60).toBeGreaterThan(39);
  expect(faultSeconds(soak) / soak.faults).toBeGreaterThan(2.5);
});
