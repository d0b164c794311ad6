/** Tells the dispatchers, without anybody waiting for it, that queues have jobs that can run. */
export interface ReadyAnnouncer {
  announce(queue: string): void;
  /** Resolves when everything announced so far was sent or given up. */
  drain(): Promise<void>;
}

/**
 * Makes an announcer that never has more than one notification in flight: whatever is announced meanwhile goes out
 * together afterwards, once a queue. A lost one costs the dispatcher's polling interval, so errors are only reported.
 */
export function createReadyAnnouncer(
  send: (queue: string) => Promise<void>,
  onError: (error: unknown) => void,
): ReadyAnnouncer {
  const pending = new Set<string>();
  let sending: Promise<void> | undefined;

  async function sendPending(): Promise<void> {
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
