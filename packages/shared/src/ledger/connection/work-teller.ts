import { setImmediate as endOfTurn } from 'node:timers/promises';

/** Tells the dispatchers, without anybody waiting for it, which queues have work. */
export interface WorkTeller {
  queueHasWork(queue: string): void;
  /** Resolves when everything told so far was sent or given up. */
  drain(): Promise<void>;
}

/**
 * Makes a teller that never has more than one notification in flight: what is told in the same turn of the event loop,
 * such as the jobs of a batch, goes out together, and so does whatever is told meanwhile, once a
 * queue. A lost one costs the dispatcher's polling interval, so errors are only reported.
 */
export function createWorkTeller(
  send: (queue: string) => Promise<void>,
  onError: (error: unknown) => void,
): WorkTeller {
  const pending = new Set<string>();
  let sending: Promise<void> | undefined;

  async function sendPending(): Promise<void> {
    await endOfTurn();
    for (const queue of pending) {
      pending.delete(queue);
      await send(queue).catch(onError);
    }
    sending = undefined;
  }

  return {
    queueHasWork(queue) {
      pending.add(queue);
      sending ??= sendPending();
    },
    drain: async () => await sending,
  };
}
