import { groupBy } from '../checker/verdict.ts';
import { JOB_KINDS, type JobKind } from '../kinds.ts';
import type { AckLine, EffectLine } from '../logs.ts';
import type { QueuedJob } from './queue-export.ts';

/** What a run of the control left behind. */
export interface ControlEvidence {
  acks: AckLine[];
  effects: EffectLine[];
  queue: QueuedJob[];
}

/** What became of the jobs that bare BullMQ acknowledged. */
export interface ControlFigures {
  acknowledged: number;
  /** Never done: no effect, and no end that Redis knows of. */
  lost: number;
  /** Done, but Redis no longer knows: whoever asks for the result is told that there is no such job. */
  forgotten: number;
  /** Ended as failed although nothing was wrong with them, such as by a second stall. */
  wronglyFailed: number;
  /** Jobs whose effect happened more than once; there is no token by which a sink could tell. */
  effectTwice: number;
}

/**
 * Asks the control what the invariants ask Accepted, in its favour: a job counts as done as soon as its effect has
 * happened, whether or not anybody can learn of it. A canceled job may be gone.
 */
export function checkControl({ acks, effects, queue }: ControlEvidence): ControlFigures {
  const kindOf = new Map<string, JobKind>();
  for (const { outcome, jobId, kind } of acks)
    if (outcome === 'accepted' && jobId !== null && kind !== 'canceled') kindOf.set(jobId, kind);
  const known = new Map(queue.map((job) => [job.jobId, job]));
  const effectsOf = groupBy(
    effects.filter((line) => line.phase === 'effect'),
    (line) => line.jobId,
  );
  const figures = { acknowledged: kindOf.size, lost: 0, forgotten: 0, wronglyFailed: 0, effectTwice: 0 };
  for (const [jobId, kind] of kindOf) {
    const state = known.get(jobId)?.state;
    const happened = effectsOf.get(jobId)?.length ?? 0;
    if (happened > 1) figures.effectTwice += 1;
    if (state === undefined && happened > 0) figures.forgotten += 1;
    else if (state === 'failed' && !mayFail(kind)) figures.wronglyFailed += 1;
    else if (happened === 0 && state !== 'completed' && state !== 'failed') figures.lost += 1;
  }
  return figures;
}

function mayFail(kind: JobKind): boolean {
  return (JOB_KINDS[kind] as readonly string[]).includes('failed');
}
