import type { JobKind } from '../kinds.ts';
import type { EffectLine, ProcessLine } from '../logs.ts';
import type { Evidence } from './evidence.ts';

/** One process from its start to its end; a pid alone may come again. */
export interface ProcessLife {
  name: string;
  pid: number;
  startedAt: number;
  /** Left out when it never became ready. */
  readyAt: number | undefined;
  exitedAt: number;
}

export function lifeOf(exit: ProcessLine, processes: ProcessLine[]): ProcessLife {
  const { name, pid, at: exitedAt } = exit;
  const before = processes.filter((line) => line.pid === pid && line.name === name && line.at <= exitedAt);
  const startedAt = before.findLast((line) => line.event === 'started')?.at ?? 0;
  const readyAt = before.findLast((line) => line.event === 'ready' && line.at >= startedAt)?.at;
  return { name, pid, startedAt, readyAt, exitedAt };
}

/** The kinds that kill the process which runs them, and those that leave an exception which ends it. */
export const KILLERS: readonly JobKind[] = ['poison', 'leaking'];
export const THROWERS: readonly JobKind[] = ['throwing'];

/** Finds where this process began to run a job that ends whatever runs it. */
export function startedHostileJobs(
  { effects, acks }: Evidence,
  life: ProcessLife,
  kinds: readonly JobKind[] = [...KILLERS, ...THROWERS],
): EffectLine[] {
  const lethal = new Set(acks.filter(({ kind }) => kinds.includes(kind)).map(({ jobId }) => jobId));
  return effects.filter(
    ({ pid, at, jobId }) =>
      pid === life.pid && at >= life.startedAt && at <= life.exitedAt && lethal.has(jobId),
  );
}
