import type { Budget, SmokeFigures } from './budgets.ts';

/** A figure beside its budget. */
export interface Judged extends Budget {
  value: number;
  holds: boolean;
}

/** Puts figures beside their budgets. One that is not a number holds none. */
export function judge(figures: SmokeFigures, budgets: Budget[]): Judged[] {
  return budgets.map((budget) => {
    const { bound } = budget;
    const value = figures[budget.figure];
    const { atLeast, atMost = Number.POSITIVE_INFINITY } = bound;
    const holds = value >= atLeast && value <= atMost;
    return { ...budget, value, holds };
  });
}

/** Writes a line a budget: the figure, its bound, and whether it holds. */
export function renderJudged(judged: Judged[]): string {
  const width = Math.max(...judged.map(({ title }) => title.length));
  return judged
    .map(({ title, value, bound, holds, reason }) =>
      [
        title.padEnd(width),
        value.toFixed(2).padStart(8),
        renderBound(bound).padEnd(12),
        holds ? 'ok' : `BROKEN: ${reason}`,
      ].join('  '),
    )
    .join('\n');
}

function renderBound({ atLeast, atMost }: Budget['bound']): string {
  return atMost === undefined ? `>= ${atLeast}` : `${atLeast} to ${atMost}`;
}
