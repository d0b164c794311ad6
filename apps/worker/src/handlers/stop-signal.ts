/** Tells an attempt to stop. Every `AbortSignal` is one. */
export interface StopSignal {
  readonly aborted: boolean;
  readonly reason: unknown;
  addEventListener(type: 'abort', listener: () => void, options: { once: true }): void;
  removeEventListener(type: 'abort', listener: () => void): void;
}

/**
 * Is one that is stopped from outside. What listens to an attempt is heard of it but once in thousands, and to begin and
 * end listening to an `AbortSignal` takes several times as long.
 */
export class StopSwitch implements StopSignal {
  readonly #listeners = new Set<() => void>();
  aborted = false;
  reason: unknown;

  /** Only the first reason counts. */
  stop(reason: unknown): void {
    if (this.aborted) return;
    this.aborted = true;
    this.reason = reason;
    for (const listener of this.#listeners) listener();
    this.#listeners.clear();
  }

  addEventListener(_type: 'abort', listener: () => void): void {
    this.#listeners.add(listener);
  }

  removeEventListener(_type: 'abort', listener: () => void): void {
    this.#listeners.delete(listener);
  }
}
