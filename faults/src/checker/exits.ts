import { type FaultKind, traitsOf } from '../kinds.ts';
import type { FaultLine, ProcessLine } from '../logs.ts';
import type { Evidence } from './evidence.ts';
import { KILLERS, lifeOf, type ProcessLife, startedHostileJobs, THROWERS } from './process-life.ts';
import type { Verdict } from './verdict.ts';

/** A deaf worker may notice that late: the default of WATCHDOG_MS, a quarter of it to look, and its shutdown. */
const DEAF_WITHIN_MS = 60_000;
/** A server that has come back may still refuse whoever starts just then. */
const CANNOT_START_FOR_MS = 5_000;

type Cause = 'asked' | 'hostileJob' | 'couldNotStart' | 'watchdog' | 'unexplained';

/** No process ends by itself, unless a fault that was under way ends processes in just this way. */
export function checkExits(evidence: Evidence): Verdict {
  const exits = evidence.processes.filter((line) => line.event === 'exited');
  const causes = exits.map((exit) => ({ exit, cause: causeOf(exit, evidence) }));
  const count = (cause: Cause) => causes.filter((one) => one.cause === cause).length;
  const unexplained = causes.filter(({ cause }) => cause === 'unexplained');
  return {
    id: 'Exits',
    holds: 'No process ends that no fault has ended.',
    figures: {
      exits: exits.length,
      askedFor: count('asked'),
      byHostileJobs: count('hostileJob'),
      couldNotStart: count('couldNotStart'),
      byWatchdog: count('watchdog'),
      unexplained: unexplained.length,
    },
    violations: unexplained.map(
      ({ exit }) =>
        `${exit.name} (pid ${exit.pid}) ended by itself with ${exit.signal ?? `code ${exit.code}`}.`,
    ),
  };
}

function causeOf(exit: ProcessLine, evidence: Evidence): Cause {
  if (exit.expected) return 'asked';
  const life = lifeOf(exit, evidence.processes);
  const kinds = exit.signal === null ? THROWERS : KILLERS;
  if (exit.code !== 0 && startedHostileJobs(evidence, life, kinds).length > 0) return 'hostileJob';
  const faults = evidence.faults.filter((fault) => fault.fired);
  if (life.readyAt === undefined && couldNotStart(life, faults)) return 'couldNotStart';
  return exit.code === 1 && isDeaf(life, evidence) ? 'watchdog' : 'unexplained';
}

/** Without Postgres no process can start; it is started again until one can. */
function couldNotStart({ startedAt, exitedAt }: ProcessLife, faults: FaultLine[]): boolean {
  return faults.some(
    ({ kind, at, endedAt }) =>
      breaksPostgres(kind) && at <= exitedAt && endedAt + CANNOT_START_FOR_MS >= startedAt,
  );
}

function isDeaf({ pid, exitedAt }: ProcessLife, { sayings, faults }: Evidence): boolean {
  return (
    sayings.some((saying) => saying.what === 'deaf' && saying.pid === pid) &&
    faults.some(
      ({ kind, at, endedAt }) => breaksRedis(kind) && at <= exitedAt && endedAt + DEAF_WITHIN_MS >= exitedAt,
    )
  );
}

function breaksPostgres(kind: FaultKind): boolean {
  return kind.startsWith('postgres-') || kind.includes('-postgres-link-');
}

function breaksRedis(kind: FaultKind): boolean {
  return traitsOf(kind).redisDown === true || kind.includes('-redis-link-');
}
