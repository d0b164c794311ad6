import type { NewJob } from '@accepted/shared/core/job/new-job';
import type { FastifyInstance } from 'fastify';
import type { Caller } from './authentication.ts';
import type { PlaceInBacklog } from './backlog-bounds.ts';
import { takeOfQuota } from './rate-limits.ts';

/** A job that was let in counts until it is known what became of it. */
export interface Admission {
  /** The names of the bounds that it may turn out not to fit in when it is written. */
  near: readonly string[];
  /** Is told whether a job was written that was not there before. */
  end(isNew: boolean): void;
}

/**
 * Makes what throws the problem of a job for which there is surely no room, before its payload is looked at: that may take longer than all
 * else, and more comes than can be done just then.
 */
export function requireRoomFor(app: FastifyInstance, { tenantId }: Caller) {
  return ({ queue, priority }: { queue: string; priority: number }): void => {
    const refusal = app.backlogs.glance({ tenantId, queue, priority });
    if (!refusal) return;
    app.noteSubmitted(tenantId);
    throw refusal;
  };
}

/**
 * Lets a job in that quota and bounds have room for, that is likely to start in time, and that Postgres is quick enough to write;
 * throws a problem otherwise. Waits for Postgres only where there is little room.
 */
export function admitJob(app: FastifyInstance, caller: Caller, job: NewJob): Admission | Promise<Admission> {
  app.noteSubmitted(job.tenantId, job.concurrencyKey);
  const taken = takeOfQuota(app.rates, caller);
  return taken instanceof Promise
    ? taken.then((giveBack) => admitWith(app, job, giveBack))
    : admitWith(app, job, taken);
}

function admitWith(app: FastifyInstance, job: NewJob, giveBack: () => void): Admission | Promise<Admission> {
  const refuse = (error: unknown): never => {
    giveBack();
    throw error;
  };
  const admit = ({ near, leave }: PlaceInBacklog): Admission => {
    try {
      app.checkDeadline(job);
      app.writing.admit(job);
    } catch (error) {
      leave();
      throw error;
    }
    return {
      near,
      end(isNew) {
        leave();
        app.writing.leave(job);
        if (!isNew) return giveBack();
        app.decisions.admitted(job.queue);
        app.forecasts.noteAccepted(job);
      },
    };
  };
  try {
    const admitted = app.backlogs.admit(job);
    return admitted instanceof Promise ? admitted.then(admit).catch(refuse) : admit(admitted);
  } catch (error) {
    return refuse(error);
  }
}
