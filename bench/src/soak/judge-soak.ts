import type { SoakSample } from './run-soak.ts';

const MOST_GROWTH = 1.2;
const MOST_SLOWER = 2;

/** One thing that a soak is to show. */
export interface SoakVerdict {
  title: string;
  ratio: number;
  atMost: number;
  holds: boolean;
}

/**
 * Compares the largest that the tables were in the last quarter of the moves with what they were in the second: the first is
 * how they come to their size. And the turns of the last tenth of the time that a snapshot was held with those before it.
 */
export function judgeSoak(samples: readonly SoakSample[]): SoakVerdict[] {
  const moving = samples.filter(({ phase }) => phase === 'moving');
  const held = samples.filter(({ phase }) => phase === 'snapshot held');
  const quarter = (number: number) =>
    moving.slice(Math.floor((moving.length * (number - 1)) / 4), Math.ceil((moving.length * number) / 4));
  const growth = (size: 'heapBytes' | 'indexBytes') =>
    largest(quarter(4).map((sample) => sample[size])) / largest(quarter(2).map((sample) => sample[size]));
  const slower =
    median(held.slice(-Math.ceil(held.length / 10)).map(({ turnMs }) => turnMs)) /
    median(quarter(4).map(({ turnMs }) => turnMs));
  return [
    judge('tables of what moves, grown', growth('heapBytes'), MOST_GROWTH),
    judge('their indexes, grown', growth('indexBytes'), MOST_GROWTH),
    judge('a turn while a snapshot is held, to one before', slower, MOST_SLOWER),
  ];
}

function judge(title: string, ratio: number, atMost: number): SoakVerdict {
  return { title, ratio, atMost, holds: ratio <= atMost };
}

function largest(values: number[]): number {
  return values.reduce((most, value) => Math.max(most, value), 0);
}

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
