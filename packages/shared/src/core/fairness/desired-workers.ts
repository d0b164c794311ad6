/** What decides how many workers a queue needs. */
export interface ScalingInput {
  /** Jobs that could be started if a worker had room: not those that are paused, limited or wait for a slot. */
  backlog: number;
  running: number;
  /** How long the one of the backlog that has been due the longest has waited. */
  oldestAgeMs: number;
  /** Jobs that the live workers finish a second. */
  drainPerSecond: number;
  workers: number;
  /** Jobs that the live workers can run at once, all together. */
  slots: number;
  /** Within how long a job is to be started. */
  startObjectiveMs: number;
}

/** A step up is at most this, so that one bad measurement does not call for a hundred machines. */
const MOST_GROWTH = 2;

/**
 * Answers how many workers start every job of the backlog within the objective: as many times what there are as the wait for a
 * turn is of the objective (Little's law), by the drain rate that was measured, and by how long the oldest has waited where that
 * is longer. What runs keeps its workers; where there is nothing to do none is needed.
 */
export function desiredWorkers(input: ScalingInput): number {
  const { backlog, running, workers, slots } = input;
  if (backlog + running === 0) return 0;
  if (workers === 0) return 1;
  const forRunning = Math.ceil((running * workers) / Math.max(1, slots));
  if (backlog === 0) return Math.max(1, forRunning);
  const forBacklog = Math.ceil(workers * Math.min(MOST_GROWTH, shareOfObjective(input)));
  return Math.max(1, forRunning, forBacklog);
}

/** How many times the objective jobs wait; with no rate measured yet, by the wait of the oldest alone. */
function shareOfObjective({ backlog, oldestAgeMs, drainPerSecond, startObjectiveMs }: ScalingInput): number {
  const drainMs = drainPerSecond > 0 ? (backlog / drainPerSecond) * 1_000 : 0;
  return Math.max(drainMs, oldestAgeMs) / startObjectiveMs;
}
