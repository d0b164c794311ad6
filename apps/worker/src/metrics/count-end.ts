import type { Outcome } from '@accepted/shared/core/job/decide-outcome';
import { isTerminal, type JobStatus } from '@accepted/shared/core/job/status';
import { attemptOutcome } from '@accepted/shared/ledger/jobs/record-outcomes';
import type { WorkerCounters } from './worker-counters.ts';

/** Counts the end of an attempt as it was recorded, or that its outcome was refused. */
export function countEnd(
  counters: WorkerCounters,
  queue: string,
  outcome: Outcome,
  status: JobStatus | 'fenced',
): void {
  if (status === 'fenced') {
    counters.add('fenced', queue);
    return;
  }
  if (outcome.kind === 'hold') counters.add('jobs_held', queue);
  counters.add('attempts', queue, 1, attemptOutcome(outcome));
  if (isTerminal(status)) counters.add('jobs_finished', queue, 1, status);
  if (status === 'failed') counters.add('dead_letters_created', queue);
}
