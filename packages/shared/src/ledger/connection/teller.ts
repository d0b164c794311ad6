import { setImmediate as endOfTurn } from 'node:timers/promises';

/** Tells other processes of queues, such as that they have work, without anybody waiting for it. */
export interface Teller {
  tell(queue: string): void;
  /** Whether nobody was told for a moment: then whoever commits something may tell of it with the commit, as it says here. */
  tellsInPassing(): boolean;
  /** Resolves when everything told so far was sent or given up. */
  drain(): Promise<void>;
}

/** Commits that notify wait for each other. */
const QUIET_MS = 25;

/**
 * Makes a teller that never has more than one notification in flight: what is told in the same turn of the event loop,
 * such as the jobs of a batch, goes out together, and so does whatever is told meanwhile, once a queue. A lost one costs
 * the polling interval of who was to hear it, so errors are only reported.
 */
export function createTeller(
  send: (queue: string) => Promise<void>,
  onError: (error: unknown) => void,
): Teller {
  const pending = new Set<string>();
  let sending: Promise<void> | undefined;
  let toldAtMs = Number.NEGATIVE_INFINITY;

  async function sendPending(): Promise<void> {
    await endOfTurn();
    for (const queue of pending) {
      pending.delete(queue);
      await send(queue).catch(onError);
    }
    toldAtMs = performance.now();
    sending = undefined;
  }

  return {
    tell(queue) {
      pending.add(queue);
      sending ??= sendPending();
    },
    tellsInPassing() {
      if (sending || performance.now() - toldAtMs < QUIET_MS) return false;
      toldAtMs = performance.now();
      return true;
    },
    drain: async () => await sending,
  };
}
