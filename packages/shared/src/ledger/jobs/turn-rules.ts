import type { Limits } from './take-jobs.ts';

/** What a turn goes by beside the picture. */
export interface TurnRules {
  quickTypes: readonly string[];
  limits: Limits;
  /** How many jobs of the queue may be in flight; `null`: any number. */
  queueLimit: number | null;
  /** Gates that are paused (`core/fairness/gates.ts`). */
  paused: ReadonlySet<string>;
  /** Of tenants whose weight is not 1. */
  weights: ReadonlyMap<string, number>;
}

export const NO_RULES: TurnRules = {
  quickTypes: [],
  limits: { key: [], type: [], tenant: [] },
  queueLimit: null,
  paused: new Set(),
  weights: new Map(),
};
