import { CircuitState, CountBreaker } from 'cockatiel';
import { createReturnLine, type ReturnLine } from '../overload/return-line.ts';
import type { CallVerdict } from './call-verdict.ts';

/** It opens when more than half of the latest calls failed, of so many at least. */
const CALLS = { threshold: 0.5, size: 20, minimumNumberOfCalls: 5 };
/** So many jobs a second come back to a circuit that is open: it takes one that tries whether it may be closed, and each is claimed for it. */
export const BACK_PER_SECOND = 5;

/**
 * What a process knows of the circuit breaker of one target (M. Nygard, Release It!, "Circuit Breaker"): closed, open for a while, or
 * due to be tried. How the calls of this process went is counted while it is closed.
 */
export class Circuit {
  #breaker = new CountBreaker(CALLS);
  #line: ReturnLine = createReturnLine();
  #openUntilMs: number | undefined;
  #triedUntilMs = Number.NEGATIVE_INFINITY;

  /** For how long no call is made; `undefined` while it is closed, 0 when it is to be tried. */
  openForMs(nowMs: number): number | undefined {
    if (this.#openUntilMs === undefined) return undefined;
    return Math.max(0, this.#openUntilMs - nowMs, this.#triedUntilMs - nowMs);
  }

  /** In how many milliseconds the next job may come back that is held, each a moment after the one before. */
  nextInMs(nowMs: number): number {
    return this.#line.nextInMs(nowMs, BACK_PER_SECOND, this.openForMs(nowMs) ?? 0);
  }

  /** Counts a call that was made while it was closed; answers whether it is to be opened. */
  count(verdict: CallVerdict): boolean {
    if (verdict === 'failed') return this.#breaker.failure(CircuitState.Closed);
    if (verdict === 'answered') this.#breaker.success(CircuitState.Closed);
    return false;
  }

  open(untilMs: number): void {
    if (this.#openUntilMs === undefined) this.#line = createReturnLine();
    this.#openUntilMs = untilMs;
    this.#triedUntilMs = Number.NEGATIVE_INFINITY;
  }

  /** Somebody tries whether it may be closed, or asks who does. */
  isTried(untilMs: number): void {
    this.#triedUntilMs = untilMs;
  }

  close(): void {
    if (this.#openUntilMs === undefined) return;
    this.#openUntilMs = undefined;
    this.#breaker = new CountBreaker(CALLS);
  }
}
