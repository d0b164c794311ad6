import { traitsOf } from '../kinds.ts';
import { isLost } from '../ledger-rows.ts';
import type { Evidence } from './evidence.ts';
import { groupBy, type Verdict } from './verdict.ts';

/**
 * I4: behind the fence an effect happens once. No two effects have the same job and token, and no two attempts of a
 * replay round have succeeded. That a handler runs again under a larger token is the promise, and is only counted.
 *
 * A sink that remembers the largest token it has seen refuses effects of zombies. It must have taken the effect of
 * every attempt that the ledger says has won: a winner that comes after a larger token is a zombie that won.
 *
 * A run with zombies in which no write of one was refused has proved nothing, so that is a violation too.
 */
export function checkFencedEffects(evidence: Evidence): Verdict {
  const { effects, attempts, faults } = evidence;
  const done = effects.filter((line) => line.phase === 'effect');
  const violations = effectsUnderOneToken(done);
  const succeeded = attempts.filter((attempt) => attempt.outcome === 'succeeded');
  for (const [what, won] of groupBy(succeeded, (row) => `${row.jobId} in round ${row.replayRound}`))
    if (won.length > 1) violations.push(`${won.length} attempts of ${what} have succeeded.`);
  const duplicates = violations.length;
  const refused = refusedBySink(done);
  for (const { jobId, attempt } of succeeded)
    if (refused.has(`${jobId} ${attempt}`))
      violations.push(`${jobId} was won by token ${attempt}, whose effect came after that of a larger one.`);
  const zombies = faults.filter(({ kind, fired }) => fired && traitsOf(kind).zombie).length;
  const results = countUnwrittenResults(evidence);
  if (zombies > 0 && results.zombieWritesRefused === 0)
    violations.push(
      `There were ${zombies} zombies and no write of one was refused: the run proves nothing of the fence.`,
    );
  return {
    id: 'I4',
    holds: 'Behind the fence an effect happens at most once.',
    figures: {
      executions: effects.length - done.length,
      effects: done.length,
      jobsWithMoreThanOneEffect: repeated(done),
      duplicateFencedEffects: duplicates,
      effectsRefusedBySink: refused.size,
      ...results,
    },
    violations,
  };
}

function effectsUnderOneToken(done: Evidence['effects']): string[] {
  return [...groupBy(done, (line) => `${line.jobId} under token ${line.token}`)].flatMap(([what, lines]) =>
    lines.length > 1 ? [`The effect of ${what} happened ${lines.length} times.`] : [],
  );
}

/** Names, as `job token`, the effects that a sink refuses which has seen a larger token of the job before. */
function refusedBySink(done: Evidence['effects']): Set<string> {
  const largest = new Map<string, number>();
  const refused = new Set<string>();
  for (const { jobId, token } of done.toSorted((a, b) => a.at - b.at)) {
    const seen = largest.get(jobId) ?? 0;
    if (token < seen) refused.add(`${jobId} ${token}`);
    else largest.set(jobId, token);
  }
  return refused;
}

/**
 * Tells apart why a result was not written. Only when somebody else has ended the attempt, because its worker was lost,
 * did the fence keep a zombie out: an outcome that is sent again, as its answer was lost, is refused as well.
 */
function countUnwrittenResults({ sayings, attempts }: Evidence) {
  const lost = new Set(attempts.filter(isLost).map((row) => `${row.jobId} ${row.attempt}`));
  const of = (what: 'fenced' | 'discarded') => sayings.filter((saying) => saying.what === what);
  const fenced = of('fenced');
  const refused = fenced.filter(({ jobId, attempt }) => lost.has(`${jobId} ${attempt}`)).length;
  return {
    zombieWritesRefused: refused,
    outcomesSentAgain: fenced.length - refused,
    heldBackByZombies: of('discarded').length,
  };
}

function repeated(done: Evidence['effects']): number {
  return [...groupBy(done, (line) => line.jobId).values()].filter((lines) => lines.length > 1).length;
}
