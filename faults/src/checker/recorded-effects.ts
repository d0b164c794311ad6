import { DELIVERY_TYPE } from '@accepted/shared/core/webhook/event';
import type { LedgerAttempt } from '../ledger-rows.ts';
import type { Evidence } from './evidence.ts';
import type { Verdict } from './verdict.ts';

/**
 * I5: what happened and what is recorded agree. Every run of a handler has its attempt, under its token, and every
 * succeeded job had its effect under the very token that won, which is also the one in its result.
 *
 * Deliveries are left to I7: their effect is the request that the receiver saw.
 */
export function checkRecordedEffects({ effects, attempts, jobs }: Evidence): Verdict {
  const recorded = new Set(attempts.map((row) => `${row.jobId} ${row.attempt}`));
  const ran = effects.filter((line) => !recorded.has(`${line.jobId} ${line.token}`));
  const unrecorded = [
    ...new Set(
      ran.map((line) => `${line.jobId} ran under token ${line.token}, of which there is no attempt.`),
    ),
  ];
  const happened = new Set(
    effects.filter((line) => line.phase === 'effect').map((line) => `${line.jobId} ${line.token}`),
  );
  const winnerOf = lastSucceeded(attempts);
  const unfounded: string[] = [];
  for (const { jobId, status, type, resultToken } of jobs) {
    if (status !== 'succeeded' || type === DELIVERY_TYPE) continue;
    const winner = winnerOf.get(jobId)?.attempt;
    if (winner === undefined) unfounded.push(`${jobId} has succeeded without an attempt that has.`);
    else if (!happened.has(`${jobId} ${winner}`))
      unfounded.push(`${jobId} has succeeded under token ${winner} without an effect.`);
    else if (resultToken !== winner)
      unfounded.push(`${jobId} was won by token ${winner}, but has the result of token ${resultToken}.`);
  }
  return {
    id: 'I5',
    holds: 'Every effect is recorded under its token, and every success had its effect.',
    figures: { unrecordedEffects: unrecorded.length, successesWithoutEffect: unfounded.length },
    violations: [...unrecorded, ...unfounded],
  };
}

function lastSucceeded(attempts: LedgerAttempt[]): Map<string, LedgerAttempt> {
  const winners = new Map<string, LedgerAttempt>();
  for (const row of attempts) {
    if (row.outcome !== 'succeeded') continue;
    if ((winners.get(row.jobId)?.attempt ?? 0) < row.attempt) winners.set(row.jobId, row);
  }
  return winners;
}
