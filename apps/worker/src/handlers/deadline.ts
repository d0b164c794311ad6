import type { AttemptResult } from '@accepted/shared/core/job/decide-outcome';
import type { StopSignal } from './stop-signal.ts';

/** How an attempt ended that was stopped. */
export type Stopped = Extract<AttemptResult, { kind: 'timedOut' | 'aborted' }>;

export interface DeadlineOptions {
  timeoutMs: number;
  /** How long after the abort a handler may still settle. */
  graceMs: number;
  /** Stops the attempt from outside: its `reason` is `canceled`, `suspected`, or anything else that gives it back. */
  signal: StopSignal;
}

/** A Node timer fires at once when it is given more. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** Stops an attempt in two steps: the handler is asked to end, and a grace later it is given up. */
export class Deadline {
  readonly #options: DeadlineOptions;
  readonly #asked = new AbortController();
  readonly #onAbort = () => this.#stop(...reasonOf(this.#options.signal.reason));
  readonly #whenGivenUp: ((why: Stopped) => void)[] = [];
  #timeout: NodeJS.Timeout | undefined;
  #grace: NodeJS.Timeout | undefined;
  #stopped: Stopped | undefined;

  constructor(options: DeadlineOptions) {
    this.#options = options;
    const { signal } = options;
    if (signal.aborted) this.#onAbort();
    else signal.addEventListener('abort', this.#onAbort, { once: true });
  }

  /** Aborts at the first step; its reason is always an Error, as a handler is likely to throw it. */
  get signal(): AbortSignal {
    return this.#asked.signal;
  }

  /** Why the attempt was stopped; `undefined` while it was not. */
  get stopped(): Stopped | undefined {
    return this.#stopped;
  }

  /** Starts the clock of the timeout. */
  start(): void {
    const { timeoutMs } = this.#options;
    const onTimeout = () => this.#stop({ kind: 'timedOut', timeoutMs }, timeoutReason(timeoutMs));
    this.#timeout = setTimeout(onTimeout, Math.min(timeoutMs, MAX_TIMER_MS));
  }

  /** Has `listener` called at the second step. */
  whenGivenUp(listener: (why: Stopped) => void): void {
    this.#whenGivenUp.push(listener);
  }

  /** Stops nothing any more. */
  close(): void {
    clearTimeout(this.#timeout);
    clearTimeout(this.#grace);
    this.#options.signal.removeEventListener('abort', this.#onAbort);
  }

  #stop(why: Stopped, reason: DOMException): void {
    if (this.#stopped) return;
    this.#stopped = why;
    this.#grace = setTimeout(() => {
      for (const listener of this.#whenGivenUp) listener(why);
    }, this.#options.graceMs);
    this.#asked.abort(reason);
  }
}

/** A lost lease ends like a shutdown: whoever holds the job now decides, so this attempt must not count. */
function reasonOf(reason: unknown): [Stopped, DOMException] {
  if (reason === 'canceled') {
    return [{ kind: 'aborted', reason: 'canceled' }, new DOMException('The job was canceled.', 'AbortError')];
  }
  return [
    { kind: 'aborted', reason: reason === 'suspected' ? reason : 'shutdown' },
    new DOMException('The worker gives the job back.', 'AbortError'),
  ];
}

function timeoutReason(timeoutMs: number): DOMException {
  return new DOMException(`The attempt took longer than ${timeoutMs} ms.`, 'TimeoutError');
}
