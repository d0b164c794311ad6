import type { DispatchKey } from '@accepted/shared/core/job/dispatch-key';
import pLimit, { type LimitFunction } from 'p-limit';
import type { HandlerSlots } from './handler-slots.ts';

/**
 * How many jobs of a queue a worker has claimed at once, for each handler that may run. The next job of a quick handler
 * should be here when it ends; but if the process dies, each claimed job has lost an attempt.
 */
const CLAIMED_PER_SLOT = 10;

/** Runs all jobs of a delivery of `queue`; resolves when the last of them has ended. */
export type RunDelivery = (queue: string, delivery: DispatchKey[]) => Promise<void>;

/**
 * Makes the function that runs deliveries. While all handlers are taken, a job that has ended, or was released for want
 * of a slot, makes room for the next one only when another handler ends: otherwise a worker whose handlers have become
 * slow would claim and release jobs in circles.
 */
export function createDeliveryRunner(options: {
  slots: number;
  slotsOf: (queue: string) => Pick<HandlerSlots, 'turnover'>;
  runOne: (dispatch: DispatchKey) => Promise<void>;
}): RunDelivery {
  const { slots, slotsOf, runOne } = options;
  const limits = new Map<string, LimitFunction>();

  function limitOf(queue: string): LimitFunction {
    const limit = limits.get(queue) ?? pLimit(CLAIMED_PER_SLOT * slots);
    limits.set(queue, limit);
    return limit;
  }

  return async (queue, delivery) => {
    const runAndTurn = async (dispatch: DispatchKey) => {
      await runOne(dispatch);
      await slotsOf(queue).turnover();
    };
    await Promise.all(delivery.map((dispatch) => limitOf(queue)(runAndTurn, dispatch)));
  };
}
