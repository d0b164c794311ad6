import { traitsOf } from '../logs.ts';
import type { Evidence } from './evidence.ts';
import { groupBy, type Verdict } from './verdict.ts';

/**
 * I4: behind the fence an effect happens once. No two effects have the same job and token, and no two attempts of a
 * replay round have succeeded. That a handler runs again under a larger token is the promise, and is only counted.
 *
 * A run with zombies in which nothing was ever fenced has proved nothing, so that is a violation too.
 */
export function checkFencedEffects({ effects, attempts, faults, fencing }: Evidence): Verdict {
  const done = effects.filter((line) => line.phase === 'effect');
  const starts = effects.filter((line) => line.phase === 'start');
  const violations: string[] = [];
  for (const [what, lines] of groupBy(done, (line) => `${line.jobId} under token ${line.token}`))
    if (lines.length > 1) violations.push(`The effect of ${what} happened ${lines.length} times.`);
  const succeeded = attempts.filter((attempt) => attempt.outcome === 'succeeded');
  for (const [what, won] of groupBy(succeeded, (row) => `${row.jobId} in round ${row.replayRound}`))
    if (won.length > 1) violations.push(`${won.length} attempts of ${what} have succeeded.`);
  const duplicates = violations.length;
  const zombies = faults.filter(({ kind, fired }) => fired && traitsOf(kind).zombie).length;
  if (zombies > 0 && fencing.fenced === 0)
    violations.push(
      `There were ${zombies} zombies and no write was fenced: the run proves nothing of the fence.`,
    );
  return {
    id: 'I4',
    holds: 'Behind the fence an effect happens at most once.',
    figures: {
      executions: starts.length,
      effects: done.length,
      jobsWithMoreThanOneEffect: repeated(done),
      duplicateFencedEffects: duplicates,
      fenced: fencing.fenced,
      discarded: fencing.discarded,
    },
    violations,
  };
}

function repeated(done: Evidence['effects']): number {
  return [...groupBy(done, (line) => line.jobId).values()].filter((lines) => lines.length > 1).length;
}
