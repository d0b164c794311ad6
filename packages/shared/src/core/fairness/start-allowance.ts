import type { Bucket, Loan } from '../overload/lent-tokens.ts';

/** A rate by which jobs are started that go through a gate (`gates.ts`). */
export interface StartRate {
  gate: string;
  /** What has the rate, in all the installation: a queue or a type. */
  name: string;
  perSecond: number;
}

/** What comes back within this is lent at once, and so much may start at once where none did for a while. */
const LENT_AHEAD_SECONDS = 0.1;
const BURST_SECONDS = 0.25;

/** Names what dispatchers are lent tokens of, each of which starts a job. */
export function startBucket({ name, perSecond }: StartRate): Bucket {
  return { name: `start ${name}`, perSecond, capacity: Math.max(1, perSecond * BURST_SECONDS) };
}

/** How many jobs a dispatcher may start by one rate: as many as it holds tokens that it was lent. */
export class StartAllowance {
  readonly bucket: Bucket;
  #held = 0;
  #emptyUntilMs = Number.NEGATIVE_INFINITY;

  constructor(rate: StartRate) {
    this.bucket = startBucket(rate);
  }

  room(): number {
    return this.#held;
  }

  /** How many tokens to be lent; 0 while there is one, or the bucket is known to be empty. */
  wanted(nowMs: number): number {
    if (this.#held > 0 || nowMs < this.#emptyUntilMs) return 0;
    return Math.max(1, Math.floor(this.bucket.perSecond * LENT_AHEAD_SECONDS));
  }

  receive({ lent, left }: Loan, nowMs: number): void {
    this.#held += lent;
    if (left < 1) this.#emptyUntilMs = nowMs + ((1 - left) / this.bucket.perSecond) * 1_000;
  }

  /** Notes that jobs were started. By a turn that was under way while the rate was laid down they may be more than were allowed. */
  spend(jobs: number): void {
    this.#held = Math.max(0, this.#held - jobs);
  }

  /** In how many milliseconds there may be a token; 0 where there is one. */
  nextInMs(nowMs: number): number {
    return this.#held > 0 ? 0 : Math.max(0, this.#emptyUntilMs - nowMs);
  }
}
