import { HEAVY_WEIGHT } from '../weigh-tenants.ts';
import type { Evidence } from './evidence.ts';
import { checkSteadyWeights } from './steady-weights.ts';
import type { Verdict } from './verdict.ts';
import { checkWeightsAtTheEnd } from './weights-at-the-end.ts';

/** While jobs of two tenants wait, they get the time of the workers by their weights, told by the times of their handlers. */
export function checkWeights(evidence: Evidence): Verdict {
  const atTheEnd = checkWeightsAtTheEnd(evidence);
  const steady = checkSteadyWeights(evidence);
  return {
    id: 'Weights',
    holds: 'Tenants whose jobs wait get the time of the workers by their weights.',
    figures: { weight: HEAVY_WEIGHT, ...atTheEnd.figures, ...steady.figures },
    violations: [...atTheEnd.violations, ...steady.violations],
  };
}
