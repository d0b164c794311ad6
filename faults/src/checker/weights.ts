import { HEAVY_WEIGHT } from '../weigh-tenants.ts';
import type { Evidence } from './evidence.ts';
import { mustProve, percentile, type Verdict } from './verdict.ts';

/** The share may be so far off: there are no more than some hundreds of jobs. */
const MOST_APART = 0.15;
/** Fewer say nothing. */
const LEAST_STAYS = 1_000;
/** Of the heavy tenant's jobs those in the middle: before and after them the windows of the workers are filled, and run empty. */
const MIDDLE = { from: 0.25, to: 0.75 };

interface Stay {
  isHeavy: boolean;
  from: number;
  to: number;
}

/** While jobs of two tenants wait, they get the time of the workers by their weights, told by the times of their handlers. */
export function checkWeights(evidence: Evidence): Verdict {
  const stays = staysOf(evidence);
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
  return {
    id: 'Weights',
    holds: 'Tenants whose jobs wait get the time of the workers by their weights.',
    figures: { weighedJobs: stays.length, weight: HEAVY_WEIGHT, serviceRatio: ratio },
    violations,
  };
}

function staysOf({ acks, effects }: Evidence): Stay[] {
  const weighed = new Map(
    acks.flatMap(({ jobId, kind }) =>
      jobId !== null && (kind === 'weighedLight' || kind === 'weighedHeavy')
        ? [[jobId, kind === 'weighedHeavy'] as const]
        : [],
    ),
  );
  const begun = new Map<string, number>();
  const stays: Stay[] = [];
  for (const { jobId, token, phase, at } of effects.toSorted((one, other) => one.at - other.at)) {
    const isHeavy = weighed.get(jobId);
    if (isHeavy === undefined) continue;
    const from = begun.get(`${jobId} ${token}`);
    if (phase === 'start') begun.set(`${jobId} ${token}`, at);
    else if (from !== undefined) stays.push({ isHeavy, from, to: at });
  }
  return stays;
}
