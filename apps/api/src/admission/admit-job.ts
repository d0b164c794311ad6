import type { Arrival } from '@accepted/shared/core/overload/backlog-gauge';
import type { FastifyInstance } from 'fastify';
import type { Caller } from './authentication.ts';
import { takeOfQuota } from './rate-limits.ts';

/** A job that was let in counts until it is known what became of it. */
export interface Admission {
  /** Is told whether a job was written that was not there before. */
  end(isNew: boolean): void;
}

/**
 * Lets a job in that quota and bounds have room for; throws a problem where they have none. Waits for Postgres only where that is
 * near.
 */
export function admitJob(
  app: FastifyInstance,
  caller: Caller,
  arrival: Arrival,
): Admission | Promise<Admission> {
  const taken = takeOfQuota(app.rates, caller);
  return taken instanceof Promise
    ? taken.then((giveBack) => admitWith(app, arrival, giveBack))
    : admitWith(app, arrival, taken);
}

function admitWith(
  app: FastifyInstance,
  arrival: Arrival,
  giveBack: () => void,
): Admission | Promise<Admission> {
  const refuse = (error: unknown): never => {
    giveBack();
    throw error;
  };
  const admission = (leave: () => void): Admission => ({
    end(isNew) {
      leave();
      if (isNew) app.decisions.admitted(arrival.queue);
      else giveBack();
    },
  });
  try {
    const admitted = app.admitToBacklog(arrival);
    return admitted instanceof Promise
      ? admitted.then((leave) => admission(leave), refuse)
      : admission(admitted);
  } catch (error) {
    return refuse(error);
  }
}
