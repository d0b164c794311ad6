import { appendFileSync } from 'node:fs';
import type { JobContext } from '@accepted/job';
import type { EffectLine } from './logs.ts';

/** The file in the run's folder for which long innocent jobs wait. */
export const BYSTANDERS_MAY_END = 'bystanders-may-end';

/**
 * Writes what a handler does into the run's folder, which every process of a run has as its working directory. One
 * short write with O_APPEND survives the process, whatever kills it next.
 */
export function logEffect(ctx: JobContext, phase: EffectLine['phase']): void {
  // The wall clock of a worker may be one of the faults.
  const at = Math.round(performance.timeOrigin + performance.now());
  const line: EffectLine = { at, pid: process.pid, jobId: ctx.job.id, token: ctx.fencingToken, phase };
  appendFileSync(`effects-${line.pid}.jsonl`, `${JSON.stringify(line)}\n`);
}
