import { setImmediate as endOfTurn } from 'node:timers/promises';

/** Tells the dispatchers, without anybody waiting for it, that queues have jobs that can run. */
export interface ReadyAnnouncer {
  announce(queue: string): void;
  /** Resolves when everything announced so far was sent or given up. */
  drain(): Promise<void>;
}

/**
 * Makes an announcer that never has more than one notification in flight: what is announced in the same turn of the
 * event loop, such as the jobs of a batch, goes out together, and so does whatever is announced meanwhile, once a
 * queue. A lost one costs the dispatcher's polling interval, so errors are only reported.
 */
export function createReadyAnnouncer(
  send: (queue: string) => Promise<void>,
  onError: (error: unknown) => void,
): ReadyAnnouncer {
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
    announce(queue) {
      pending.add(queue);
      sending ??= sendPending();
    },
    drain: async () => await sending,
  };
}
