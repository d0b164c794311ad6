import { REFUSALS } from '@accepted/shared/contract/refusals';
import { percentile } from '../../statistics/spread.ts';
import type { FloodAnswer, PollAnswer } from './flood.ts';

export const isAccepted = ({ status }: Pick<FloodAnswer, 'status'>) => status === 202;

/** Whether an answer is one of those that are documented for there being too much. */
export function isRefusal({ status, code = '' }: Pick<PollAnswer, 'status' | 'code'>): boolean {
  return (status === 429 || status === 503) && Object.hasOwn(REFUSALS, code);
}

/** 0 where there was none. */
export function percentileOrNone(values: readonly number[], share: number): number {
  return values.length === 0 ? 0 : percentile(values, share);
}

/** The part of all, in percent; 0 of none. */
export function percentOf(part: number, all: number): number {
  return all === 0 ? 0 : (part / all) * 100;
}

/** Counts moments by the second after `from` that they fall into. */
export function countBySecond(moments: Iterable<number>, from: number, seconds: number): number[] {
  const counts = Array.from({ length: seconds }, () => 0);
  for (const at of moments) {
    const second = Math.floor((at - from) / 1_000);
    if (second >= 0 && second < seconds) counts[second] = (counts[second] ?? 0) + 1;
  }
  return counts;
}

/** How many moments a second lie in a stretch of time. */
export function ratePerSecond(moments: Iterable<number>, from: number, to: number): number {
  let count = 0;
  for (const at of moments) if (at >= from && at < to) count += 1;
  return (count / (to - from)) * 1_000;
}

/** Counts answers by what they are: the code of a problem, or the status where there is none; 0 where the connection broke. */
export function countByKind(answers: readonly Pick<PollAnswer, 'status' | 'code'>[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { status, code = String(status) } of answers) counts[code] = (counts[code] ?? 0) + 1;
  return counts;
}
