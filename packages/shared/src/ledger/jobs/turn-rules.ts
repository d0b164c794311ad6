import type { AdaptiveLimit } from '../../core/fairness/adaptive-limits.ts';
import type { Limits } from './take-jobs.ts';

/** What a turn goes by beside the picture. */
export interface TurnRules {
  /** Types of which handlers hang: how long others took says nothing of them. */
  slowTypes: readonly string[];
  limits: Limits;
  /** By type; they hold for this queue alone, and nobody else has to know of them. */
  adaptiveLimits: ReadonlyMap<string, AdaptiveLimit>;
  /** How many jobs of the queue may be in flight; `null`: any number. */
  queueLimit: number | null;
  /** By gate: how many jobs more may go through it just now, where a rate says so. */
  rooms: ReadonlyMap<string, number>;
  /** Gates that are paused (`core/fairness/gates.ts`). */
  paused: ReadonlySet<string>;
  /** Of tenants whose weight is not 1. */
  weights: ReadonlyMap<string, number>;
}

export const NO_RULES: TurnRules = {
  slowTypes: [],
  limits: { key: [], type: [], tenant: [] },
  adaptiveLimits: new Map(),
  queueLimit: null,
  rooms: new Map(),
  paused: new Set(),
  weights: new Map(),
};
