import type { AttemptResult } from '@accepted/shared/core/job/decide-outcome';

/** How an attempt ended that was stopped. */
export type Stopped = Extract<AttemptResult, { kind: 'timedOut' | 'aborted' }>;

export interface DeadlineOptions {
  timeoutMs: number;
  /** How long after the abort a handler may still settle. */
  graceMs: number;
  /** Stops the attempt from outside: its `reason` is `canceled`, `suspected`, or anything else that gives it back. */
  signal: AbortSignal;
}

/** Stops an attempt in two steps: the handler is asked to end, and a grace later it is given up. */
export interface Deadline extends Disposable {
  /** Aborts at the first step; its reason is always an Error, as a handler is likely to throw it. */
  signal: AbortSignal;
  /** Starts the clock of the timeout. */
  start(): void;
  /** Why the attempt was stopped; `undefined` while it was not. */
  stopped(): Stopped | undefined;
  /** Resolves at the second step. */
  givenUp: Promise<Stopped>;
}

/** A Node timer fires at once when it is given more. */
const MAX_TIMER_MS = 2 ** 31 - 1;

export function openDeadline({ timeoutMs, graceMs, signal }: DeadlineOptions): Deadline {
  const asked = new AbortController();
  const { promise: givenUp, resolve: giveUp } = Promise.withResolvers<Stopped>();
  const timers: NodeJS.Timeout[] = [];
  let stopped: Stopped | undefined;

  const stop = (why: Stopped, reason: DOMException) => {
    if (stopped) return;
    stopped = why;
    timers.push(setTimeout(giveUp, graceMs, why));
    asked.abort(reason);
  };
  const onAbort = () => stop(...reasonOf(signal.reason));
  if (signal.aborted) onAbort();
  else signal.addEventListener('abort', onAbort, { once: true });

  return {
    signal: asked.signal,
    givenUp,
    stopped: () => stopped,
    start() {
      const onTimeout = () => stop({ kind: 'timedOut', timeoutMs }, timeoutReason(timeoutMs));
      timers.push(setTimeout(onTimeout, Math.min(timeoutMs, MAX_TIMER_MS)));
    },
    [Symbol.dispose]() {
      for (const timer of timers) clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
    },
  };
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
