import { isAccepted, percentileOrNone } from '../load/figures.ts';
import type { Flooded } from '../load/flood.ts';

/** What is normal: what few requests of half the load exceed. */
export interface NormalTimes {
  acceptP99Ms: number;
  /** Left out where no worker runs. */
  startP99Ms?: number;
}

/**
 * In how many seconds times were normal again, by probes that were sent from the end of a load on: from then on the median of each
 * second is no longer than what was normal, and none was refused. So many seconds as there were probes, where that never came.
 */
export function secondsToNormal(
  { startedAt, answers, unanswered }: Pick<Flooded, 'startedAt' | 'answers' | 'unanswered'>,
  starts: ReadonlyMap<number, number> | undefined,
  normal: NormalTimes,
  seconds: number,
): number {
  if (unanswered > 0) return seconds;
  const isNormal = Array.from({ length: seconds }, (_, second) => {
    const [from, to] = [startedAt + second * 1_000, startedAt + (second + 1) * 1_000];
    const probes = answers.filter(({ dueAt }) => dueAt >= from && dueAt < to);
    const acceptMs = probes.map(({ dueAt, answeredAt }) => answeredAt - dueAt);
    const startMs = probes.map(({ n, dueAt }) => (starts?.get(n) ?? Number.POSITIVE_INFINITY) - dueAt);
    return (
      probes.every(isAccepted) &&
      percentileOrNone(acceptMs, 0.5) <= normal.acceptP99Ms &&
      (normal.startP99Ms === undefined || percentileOrNone(startMs, 0.5) <= normal.startP99Ms)
    );
  });
  return isNormal.lastIndexOf(false) + 1;
}
