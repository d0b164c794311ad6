import { expect, test } from 'vitest';
import { judgeSoak } from './judge-soak.ts';
import type { SoakSample } from './run-soak.ts';

const MB = 1_048_576;

/** A soak of 40 samples of moving and 20 of a held snapshot. */
function soak(change: (sample: SoakSample, index: number) => Partial<SoakSample>): SoakSample[] {
  return Array.from({ length: 60 }, (_, index) => {
    const sample: SoakSample = {
      phase: index < 40 ? 'moving' : 'snapshot held',
      atMinutes: index,
      moves: index,
      heapBytes: 10 * MB,
      indexBytes: 5 * MB,
      vacuums: index,
      turnMs: 2,
    };
    return { ...sample, ...change(sample, index) };
  });
}

const broken = (samples: SoakSample[]) =>
  judgeSoak(samples).flatMap(({ title, holds }) => (holds ? [] : [title]));

test('what comes to its size, and is larger while a snapshot is held, has not grown', () => {
  expect(
    broken(
      soak(({ phase }, index) => ({ heapBytes: index < 10 ? MB : phase === 'moving' ? 9 * MB : 99 * MB })),
    ),
  ).toEqual([]);
});

test('what grows all the time, or turns that become slower, are found', () => {
  expect(broken(soak((_, index) => ({ indexBytes: (index + 1) * MB })))).toEqual(['their indexes, grown']);
  expect(broken(soak(({ phase }, index) => ({ turnMs: phase === 'moving' ? 2 : index / 10 })))).toEqual([
    'a turn while a snapshot is held, to one before',
  ]);
});
