import type { Evidence } from './evidence.ts';
import { checkKeyLimits } from './key-limits.ts';
import { checkLaidDownLimits } from './laid-down-limits.ts';
import type { Verdict } from './verdict.ts';

/**
 * Limits hold, told by the times at which handlers began and had their effect; attempts that did not succeed are left out, as a zombie's may
 * go on while its job is somebody else's.
 */
export function checkLimits(evidence: Evidence): Verdict {
  const keys = checkKeyLimits(evidence);
  const laidDown = checkLaidDownLimits(evidence);
  return {
    id: 'Limits',
    holds: 'Of a key one job runs at once, of a type and a queue as many as may, also after a wipe.',
    figures: { ...keys.figures, ...laidDown.figures },
    violations: [...keys.violations, ...laidDown.violations],
  };
}
