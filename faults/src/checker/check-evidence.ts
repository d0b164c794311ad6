import { checkAdmission } from './admission.ts';
import { checkAttemptLimits } from './attempt-limits.ts';
import type { Evidence } from './evidence.ts';
import { checkExits } from './exits.ts';
import { checkFencedEffects } from './fenced-effects.ts';
import { checkFiredFaults } from './fired-faults.ts';
import { checkLeases } from './leases.ts';
import { checkLegalTransitions } from './legal-transitions.ts';
import { checkLimits } from './limits.ts';
import { checkLost } from './lost.ts';
import { checkMemory } from './memory.ts';
import { checkNeighbours } from './neighbours.ts';
import { checkOneJobPerKey } from './one-job-per-key.ts';
import { checkRecordedEffects } from './recorded-effects.ts';
import { checkRecovery } from './recovery.ts';
import { checkRefusals } from './refusals.ts';
import { checkUnexpected } from './unexpected.ts';
import type { Verdict } from './verdict.ts';
import { checkWebhooks } from './webhooks.ts';
import { checkWeights } from './weights.ts';

/** Checks everything that must hold of a run, in the order of the guarantees page. */
export function checkEvidence(evidence: Evidence): Verdict[] {
  return CHECKS.map((check) => check(evidence));
}

const CHECKS = [
  checkLost,
  checkUnexpected,
  checkOneJobPerKey,
  checkFencedEffects,
  checkRecordedEffects,
  checkLegalTransitions,
  checkWebhooks,
  checkRecovery,
  checkAttemptLimits,
  checkLimits,
  checkAdmission,
  checkWeights,
  checkNeighbours,
  checkLeases,
  checkRefusals,
  checkExits,
  checkMemory,
  checkFiredFaults,
];
