import type { Spread } from '../statistics/spread.ts';

/** What is measured of a ledger; the names end in their units. */
export const GROWTH_FIGURES = {
  acceptPerSecond: 'jobs accepted a second, 64 connections',
  acceptP99Ms: 'time to a 202 then, p99',
  workerPerSecond: 'jobs a second that one worker takes off the backlog',
  latencyP50Ms: 'from submission to committed result, p50',
  latencyP99Ms: 'from submission to committed result, p99',
  pickUpP50Ms: 'idle pick-up, p50',
  pickUpP99Ms: 'idle pick-up, p99',
  readP50Ms: 'reading a job by its id, p50',
  readP99Ms: 'reading a job by its id, p99',
  listP50Ms: 'listing the newest 20 jobs, p50',
  listP99Ms: 'listing the newest 20 jobs, p99',
} as const;

export type GrowthFigure = keyof typeof GROWTH_FIGURES;

export type GrowthFigures = Record<GrowthFigure, number>;

/** How large a ledger is. */
export interface LedgerSize {
  /** Jobs that wait. */
  backlog: number;
  /** Jobs that were finished long ago. */
  finished: number;
}

/** `growth.json`: a ledger as it grows, beside one that stays small, in interleaved rounds. */
export interface GrowthPart {
  rounds: number;
  reference: LedgerSize;
  stages: GrowthStage[];
  /** What a finished job, its attempt and their indexes take on the disk; `null` when none were written. */
  bytesPerFinishedJob: number | null;
}

export interface GrowthStage extends LedgerSize {
  figures: Record<GrowthFigure, Comparison>;
}

export interface Comparison {
  reference: Spread;
  grown: Spread;
  /** By which share the median is worse than that of the reference; below 0 when it is better. */
  worseBy: number;
}

/** Compares the rounds of a figure: of rates more is better, of times less. */
export function compare(figure: GrowthFigure, reference: Spread, grown: Spread): Comparison {
  const isRate = figure.endsWith('PerSecond');
  const ratio = grown.median / reference.median;
  return { reference, grown, worseBy: isRate ? 1 - ratio : ratio - 1 };
}
