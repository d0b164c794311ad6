import { expect, test } from 'vitest';
import {
  createPicker,
  MIXED_KINDS,
  MIXED_PAYLOADS,
  MIXED_PRIORITIES,
  type Mix,
  meanWorkMs,
  zipfWeights,
} from './mix.ts';

const mix: Mix = {
  kinds: MIXED_KINDS,
  senders: zipfWeights(4).map((weight, place) => ({ name: `tenant ${place}`, headers: {}, weight })),
  payloads: MIXED_PAYLOADS,
  priorities: MIXED_PRIORITIES,
  pollShare: 0.5,
};
const NUMBERS = Array.from({ length: 20_000 }, (_, n) => 1_000_000 + n);

test('requests come as often as they weigh, whatever the others are', () => {
  const picked = NUMBERS.map(createPicker(mix));
  const share = (is: (one: (typeof picked)[number]) => boolean) => picked.filter(is).length / picked.length;
  expect(share(({ kind }) => kind.type === 'overload.mail')).toBeCloseTo(0.5, 1);
  expect(share(({ bytes }) => bytes === 100_000)).toBeCloseTo(0.03, 2);
  expect(share(({ priority }) => priority === 'critical')).toBeCloseTo(0.05, 1);
  expect(share(({ sender }) => sender.name === 'tenant 0')).toBeCloseTo(12 / 25, 1);
  expect(share(({ isPolled }) => isPolled)).toBeCloseTo(0.5, 1);
  const bothShare = share(({ kind, priority }) => kind.type === 'overload.mail' && priority === 'low');
  expect(bothShare).toBeCloseTo(0.15, 1);
});

test('a number is the same request in every process', () => {
  expect(NUMBERS.map(createPicker(mix))).toEqual(NUMBERS.map(createPicker(mix)));
});

test('the time of a handler is that of its kinds by their weights', () => {
  expect(meanWorkMs(MIXED_KINDS)).toBe(21);
});
