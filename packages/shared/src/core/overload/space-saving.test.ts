import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createSpaceSaving } from './space-saving.ts';

/** Makes numbers from 0 to 1 that are the same each time (mulberry32). */
function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Has names come of which the n-th comes 1/n times as often as the first one (Zipf). */
function zipf(names: number, count: number, seed: number): string[] {
  const sums: number[] = [];
  for (let n = 1; n <= names; n += 1) sums.push((sums.at(-1) ?? 0) + 1 / n);
  const random = createRandom(seed);
  return Array.from({ length: count }, () => {
    const at = random() * (sums.at(-1) ?? 0);
    return `n${sums.findIndex((sum) => sum > at) + 1}`;
  });
}

function countOf(stream: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const name of stream) counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
}

test.each([1, 2, 3])('of ten thousand names that come the ten that come most are found (%d)', (seed) => {
  const stream = zipf(10_000, 50_000, seed);
  const sketch = createSpaceSaving(100);
  for (const name of stream) sketch.add(name);
  const most = [...countOf(stream)].sort(([, one], [, other]) => other - one).slice(0, 10);
  const found = sketch.tallies().toSorted((one, other) => other.count - one.count);
  expect(found.slice(0, 10).map(({ name }) => name)).toEqual(most.map(([name]) => name));
  expect(found).toHaveLength(100);
});

test('of names that all come once none is said to have come more often', () => {
  const sketch = createSpaceSaving(100);
  for (let n = 0; n < 10_000; n += 1) sketch.add(`n${n}`);
  expect(Math.max(...sketch.tallies().map(({ count, error }) => count - error))).toBe(1);
});

test('what came before counts as much less as is said', () => {
  const sketch = createSpaceSaving(2);
  for (let n = 0; n < 8; n += 1) sketch.add('early');
  sketch.scale(1 / 4);
  sketch.add('late');
  sketch.add('later');
  expect(sketch.tallies()).toEqual([
    { name: 'early', count: 2, error: 0 },
    { name: 'later', count: 2, error: 1 },
  ]);
});

const streams = fc.array(fc.integer({ min: 0, max: 30 }).map(String), { maxLength: 500 });

test('no count is too low, nor too high by more than its error, nor that by more than a part; who came more often is there', () => {
  fc.assert(
    fc.property(streams, fc.integer({ min: 1, max: 12 }), (stream, places) => {
      const sketch = createSpaceSaving(places);
      for (const name of stream) sketch.add(name);
      const counts = countOf(stream);
      const tallies = sketch.tallies();
      for (const { name, count, error } of tallies) {
        const came = counts.get(name) ?? 0;
        expect(count).toBeGreaterThanOrEqual(came);
        expect(count - error).toBeLessThanOrEqual(came);
        expect(error).toBeLessThanOrEqual(stream.length / places);
      }
      expect(tallies.length).toBeLessThanOrEqual(places);
      expect(tallies.reduce((sum, { count }) => sum + count, 0)).toBe(stream.length);
      const there = new Set(tallies.map(({ name }) => name));
      for (const [name, came] of counts) if (came > stream.length / places) expect(there).toContain(name);
    }),
  );
});
