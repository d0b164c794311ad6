import { HEAVY_WEIGHT } from '../weigh-tenants.ts';
import type { Evidence } from './evidence.ts';
import { type Stay, staysOf } from './stays.ts';
import { mustProve, percentile, type Verdict } from './verdict.ts';

/** The share may be so far off: there are no more than some hundreds of jobs. */
const MOST_APART = 0.15;
/** Fewer say nothing. */
const LEAST_STAYS = 1_000;
/** Of the heavy tenant's jobs those in the middle: before and after them the windows of the workers are filled, and run empty. */
const MIDDLE = { from: 0.25, to: 0.75 };

interface WeighedStay extends Stay {
  isHeavy: boolean;
}

/**
 * When all faults are over, two tenants with as much in the engine as it takes get the time of the workers by their weights: there it
 * has an order of its own.
 */
export function checkWeightsAtTheEnd(evidence: Evidence): Pick<Verdict, 'figures' | 'violations'> {
  const stays = weighedStaysOf(evidence);
  const heavyStarts = stays.filter(({ isHeavy }) => isHeavy).map(({ from }) => from);
  const [from, to] = [percentile(heavyStarts, MIDDLE.from), percentile(heavyStarts, MIDDLE.to)];
  const together = stays.filter((stay) => stay.from >= from && stay.from < to);
  const serviceMs = (isHeavy: boolean) =>
    together.filter((stay) => stay.isHeavy === isHeavy).reduce((sum, stay) => sum + (stay.to - stay.from), 0);
  const [heavyMs, lightMs] = [serviceMs(true), serviceMs(false)];
  const ratio = lightMs > 0 ? Math.round((heavyMs / lightMs) * 100) / 100 : 0;
  const isProof = stays.length >= LEAST_STAYS;
  const violations: string[] = [];
  if (isProof && Math.abs(ratio / HEAVY_WEIGHT - 1) > MOST_APART)
    violations.push(
      `A tenant of weight ${HEAVY_WEIGHT} got ${ratio} times what one of weight 1 got while both waited.`,
    );
  if (!isProof && mustProve(evidence.run))
    violations.push(`${stays.length} jobs of two tenants that waited together prove nothing of weights.`);
  return { figures: { weighedJobs: stays.length, serviceRatio: ratio }, violations };
}

function weighedStaysOf(evidence: Evidence): WeighedStay[] {
  const weighed = new Map(
    evidence.acks.flatMap(({ jobId, kind }) =>
      jobId !== null && (kind === 'weighedLight' || kind === 'weighedHeavy')
        ? [[jobId, kind === 'weighedHeavy'] as const]
        : [],
    ),
  );
  return staysOf(evidence, (jobId) => weighed.has(jobId)).map((stay) => ({
    ...stay,
    isHeavy: weighed.get(stay.jobId) === true,
  }));
}
