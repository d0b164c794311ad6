import { BOUNDED_TYPE, MOST_OF_BOUNDED_TYPE } from '../bounded-type.ts';
import type { LedgerJob } from '../ledger-rows.ts';
import { STEADY_QUEUE, STEADY_SLOTS } from '../steady-tenants.ts';
import type { Evidence } from './evidence.ts';
import { jobStaysOf, type Stay } from './stays.ts';
import { mustProve, type Verdict } from './verdict.ts';

/** Of a type and a queue no more jobs run at once than an operator has laid down for the run, whatever is wiped or dispatched again. */
export function checkLaidDownLimits(evidence: Evidence): Pick<Verdict, 'figures' | 'violations'> {
  const { type, queue } = boundsOf(evidence);
  const ofType = checkBound(type, evidence);
  const ofQueue = checkBound(queue, evidence);
  return {
    figures: {
      jobsOfType: type.jobs.length,
      typeWasFull: ofType.timesFull,
      typeOverfull: ofType.overfull.length,
      queueWasFull: ofQueue.timesFull,
      queueOverfull: ofQueue.overfull.length,
    },
    violations: [...ofType.overfull, ...ofQueue.overfull, ...ofType.missing, ...ofQueue.missing],
  };
}

/** What an operator has laid down for the run. */
interface Bound {
  what: string;
  most: number;
  jobs: LedgerJob[];
  /** When it was lifted. */
  until: number;
}

function boundsOf({ jobs, run }: Evidence): { type: Bound; queue: Bound } {
  return {
    type: {
      what: `the type ${BOUNDED_TYPE}`,
      most: MOST_OF_BOUNDED_TYPE,
      jobs: jobs.filter(({ type }) => type === BOUNDED_TYPE),
      until: Number.POSITIVE_INFINITY,
    },
    queue: {
      what: `the queue ${STEADY_QUEUE}`,
      most: STEADY_SLOTS,
      jobs: jobs.filter(({ queue }) => queue === STEADY_QUEUE),
      until: run.loadEndedAt,
    },
  };
}

function checkBound({ what, most, jobs, until }: Bound, evidence: Evidence) {
  const overfull: string[] = [];
  let timesFull = 0;
  let running: Stay[] = [];
  for (const next of jobStaysOf(jobs, evidence)) {
    if (next.from >= until) break;
    running = [...running.filter(({ to }) => to > next.from), next];
    if (running.length === most) timesFull += 1;
    if (running.length > most)
      overfull.push(`${running.map(({ jobId }) => jobId).join(', ')} ran at once; of ${what} ${most} may.`);
  }
  const provesNothing = timesFull === 0 && mustProve(evidence.run);
  const missing = provesNothing
    ? [`Of ${what} never ${most} ran at once: the run proves nothing of it.`]
    : [];
  return { timesFull, overfull, missing };
}
