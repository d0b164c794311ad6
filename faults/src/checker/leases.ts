import { isLost, type LedgerAttempt, type LedgerLease } from '../ledger-rows.ts';
import type { FaultLine, ProcessLine } from '../logs.ts';
import type { Evidence } from './evidence.ts';
import { lifeOf, startedHostileJobs } from './process-life.ts';
import { groupBy, mustProve, type Verdict } from './verdict.ts';

/** How long after its time the loss of a lease may be found: the rescuers look about once a second. */
const FOUND_WITHIN_MS = 1_500;

/**
 * A lease ends by the silence of its worker, by the clock of Postgres, and by nothing else: a worker that was told to
 * end gives its attempts back, and a worker with a wrong clock, or beside one, keeps them.
 */
export function checkLeases(evidence: Evidence): Verdict {
  const deploys = checkDeploys(evidence);
  const skews = checkSkews(evidence);
  return {
    id: 'Leases',
    holds: 'A deploy burns no attempt, and a wrong clock ends no lease.',
    figures: { leases: evidence.leases.length, ...deploys.figures, ...skews.figures },
    violations: [...deploys.violations, ...skews.violations],
  };
}

type Part = Pick<Verdict, 'figures' | 'violations'>;

/** Joins each worker that was told to end, and did, with the attempts that it had under way then. */
function checkDeploys(evidence: Evidence): Part {
  const attemptsOf = groupBy(evidence.attempts, (row) => row.workerId ?? '');
  const told = evidence.processes.filter((line) => line.event === 'signaled' && line.signal === 'SIGTERM');
  const burnt: string[] = [];
  const underWay: LedgerAttempt[] = [];
  for (const line of told) {
    for (const { workerId } of leasesAtEnd(line, evidence)) {
      for (const attempt of attemptsOf.get(workerId) ?? []) {
        if (attempt.startedAt <= line.at && attempt.finishedAt >= line.at) underWay.push(attempt);
        if (isLost(attempt))
          burnt.push(
            `Attempt ${attempt.attempt} of ${attempt.jobId} was burnt: ${line.name} was told to end.`,
          );
      }
    }
  }
  const deploys = evidence.faults.filter(({ kind, fired }) => kind === 'rolling-deploy' && fired).length;
  const released = underWay.filter((row) => row.outcome === 'released' && !isLost(row)).length;
  const provesNothing = deploys > 0 && released === 0 && mustProve(evidence.run);
  return {
    figures: {
      attemptsUnderWayAtDeploys: underWay.length,
      attemptsReleased: released,
      attemptsBurntByDeploys: burnt.length,
    },
    violations: provesNothing
      ? [...burnt, `No attempt was released in ${deploys} deploys: the run proves nothing of them.`]
      : burnt,
  };
}

/** The leases that a worker held when it was told to end; none when something else ended it, or had begun to. */
function leasesAtEnd(told: ProcessLine, evidence: Evidence): LedgerLease[] {
  const { processes, leases } = evidence;
  const exit = processes.find(
    (line) => line.event === 'exited' && line.pid === told.pid && line.at >= told.at,
  );
  if (exit?.code !== 0) return [];
  const life = lifeOf(exit, processes);
  if (startedHostileJobs(evidence, life).length > 0) return [];
  return leases.filter(
    ({ pid, beganAt, lostAt, releasedAt }) =>
      pid === told.pid &&
      beganAt >= life.startedAt &&
      beganAt <= told.at &&
      (lostAt ?? Number.POSITIVE_INFINITY) > told.at &&
      (releasedAt ?? Number.POSITIVE_INFINITY) > told.at,
  );
}

function checkSkews(evidence: Evidence): Part {
  const skews = evidence.faults.filter(({ kind, fired }) => kind === 'worker-clock-skewed' && fired);
  const ran = skews.map((skew) => attemptsUnderSkew(skew, evidence));
  const lost = skews.flatMap((skew) => leasesLostTo(skew, evidence).map((lease) => ({ skew, lease })));
  const violations = lost.map(
    ({ skew, lease }) => `A lease of pid ${lease.pid} was lost while the clock of ${skew.target} was wrong.`,
  );
  if (mustProve(evidence.run) && ran.includes(0))
    violations.push('A worker ran nothing while its clock was wrong: that proves nothing of leases.');
  return {
    figures: {
      attemptsUnderWrongClock: ran.reduce((sum, count) => sum + count, 0),
      leasesLostToWrongClock: lost.length,
    },
    violations,
  };
}

function attemptsUnderSkew({ target, at, endedAt }: FaultLine, evidence: Evidence): number {
  const start = evidence.processes.findLast(
    (line) => line.event === 'started' && line.name === target && line.at <= at,
  );
  const leases = evidence.leases.filter(({ pid, beganAt }) => pid === start?.pid && beganAt >= start.at);
  const workerIds = new Set(leases.map(({ workerId }) => workerId));
  return evidence.attempts.filter(
    ({ workerId, startedAt }) => workerIds.has(workerId ?? '') && startedAt >= at && startedAt <= endedAt,
  ).length;
}

/** Leases of live processes, lost in a time in which no other fault can have ended them. */
function leasesLostTo(skew: FaultLine, evidence: Evidence): LedgerLease[] {
  const { faults, leases, run } = evidence;
  const others = faults.filter((fault) => fault !== skew);
  const before = others.filter((fault) => fault.at <= skew.at).map((fault) => fault.endedAt);
  const from = Math.max(skew.at, ...before.map((endedAt) => endedAt + run.leaseMs + FOUND_WITHIN_MS));
  const after = others.filter((fault) => fault.at > skew.at).map((fault) => fault.at);
  const to = Math.min(skew.endedAt + run.leaseMs, ...after);
  return leases.filter(
    (lease) =>
      lease.lostAt !== null && lease.lostAt >= from && lease.lostAt < to && wasAlive(lease, evidence),
  );
}

function wasAlive({ pid, beganAt, lostAt }: LedgerLease, evidence: Evidence): boolean {
  const exit = evidence.processes.find(
    (line) => line.event === 'exited' && line.pid === pid && line.at >= beganAt,
  );
  if (!exit || lostAt === null || exit.at <= lostAt) return false;
  return startedHostileJobs(evidence, lifeOf(exit, evidence.processes)).length === 0;
}
