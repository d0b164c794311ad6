/** What the answers within a window say. */
export interface Judgement {
  /** More than one in twenty takes too long: their p95 is over the budget. */
  isSlow: boolean;
  /** How many windows have passed since the last one: more than one where nobody asked for a while. */
  windows: number;
}

/**
 * Watches how long answers take, without keeping any of the times: a p95 is over a budget where more than one in twenty is, so two
 * counts say it. Whoever still waits has waited for so long at least, so what does not answer at all is slow, too.
 */
export interface SlowAnswers {
  /** Notes that something is asked; the answer of this is called with the time when it was answered, or was not to be. */
  ask(nowMs: number): (nowMs: number) => void;
  /** Judges the window that has just passed, once; `undefined` while it goes on. */
  judge(nowMs: number): Judgement | undefined;
}

/** Of so many one may take longer. */
const ONE_IN = 20;
/** A window must see the answers to what is asked within it, and be short beside the patience of callers. */
const LEAST_WINDOW_MS = 250;
const BUDGETS_IN_A_WINDOW = 2;

export function createSlowAnswers(budgetMs: number): SlowAnswers {
  const windowMs = Math.max(LEAST_WINDOW_MS, BUDGETS_IN_A_WINDOW * budgetMs);
  /** When they were asked; there are as many as are written at once. */
  const underWay = new Set<{ askedAtMs: number }>();
  let [quick, slow] = [0, 0];
  let sinceMs = Number.NEGATIVE_INFINITY;

  function overdue(nowMs: number): number {
    let count = 0;
    for (const { askedAtMs } of underWay) if (nowMs - askedAtMs > budgetMs) count += 1;
    return count;
  }

  return {
    ask(askedAtMs) {
      const asked = { askedAtMs };
      underWay.add(asked);
      return (nowMs) => {
        underWay.delete(asked);
        if (nowMs - askedAtMs > budgetMs) slow += 1;
        else quick += 1;
      };
    },
    judge(nowMs) {
      const windows = Math.floor((nowMs - sinceMs) / windowMs);
      if (windows < 1) return undefined;
      const late = overdue(nowMs);
      // Of what was answered before a silence nobody knows whether it still holds.
      const counted = windows > 1 ? 0 : slow;
      const isSlow = (counted + late) * ONE_IN > quick + counted + late;
      [quick, slow, sinceMs] = [0, 0, nowMs];
      return { isSlow, windows };
    },
  };
}
