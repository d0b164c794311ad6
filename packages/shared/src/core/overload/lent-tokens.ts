/** A bucket of tokens that all processes share: whoever wants to do something takes one out of it. */
export interface Bucket {
  name: string;
  /** How many tokens come back a second; 0: none do. */
  perSecond: number;
  /** How many there may be at most. */
  capacity: number;
}

/** What a process was lent of a bucket, and what is left in it. */
export interface Loan {
  lent: number;
  left: number;
}

/**
 * The tokens of one bucket that a process holds. It takes of them without asking anybody, and is lent more ahead of need; while the
 * bucket is known to be empty it asks nobody either. All times are in milliseconds, by any clock that does not go back.
 */
export interface LentTokens {
  /** Is told of each who wants a token, once. */
  noteDemand(nowMs: number): void;
  /** Takes a token; `false` where none is held. */
  take(nowMs: number): boolean;
  /** Puts a token back that was taken for what was then not done. */
  giveBack(): void;
  /**
   * How many tokens to be lent, 1 at least where somebody waits for one; 0 while enough are held, or the bucket is known to be empty.
   */
  wanted(nowMs: number, isWaitedFor: boolean): number;
  receive(loan: Loan, nowMs: number): void;
  /** For so long nobody can be asked: until then it goes by what it knows, as if it were alone. */
  standAlone(nowMs: number, forMs: number): void;
  /** Whether a token may come by asking now. */
  isWorthAsking(nowMs: number): boolean;
  /** How many tokens there are, here and in the bucket, as far as that is known. */
  remaining(nowMs: number): number;
  /** In how long somebody who found none may come back, so that those who did not find any come back one after the other. */
  returnInMs(nowMs: number): number;
}

/** What comes back within this is lent at once. */
const LENT_AHEAD_MS = 100;
/** Of a bucket into which nothing comes back such a part of the rest is lent at once, so that little of it lies where nobody wants it. */
const LENT_PART = 1 / 50;
/** A bucket that was found empty is not asked again before. */
const LEAST_EMPTY_MS = 20;
/** Into one of which nothing comes back somebody may have given something back. */
const EMPTY_QUOTA_MS = 1_000;
const MEASURED_OVER_MS = 500;
/** Nobody is sent away for longer: most who are told so do not come back at all. */
const MOST_RETURN_MS = 600_000;
/** A process that was given nothing of late goes by this part of what comes back. */
const LEAST_PART = 1 / 20;

export function createLentTokens({ perSecond, capacity }: Omit<Bucket, 'name'>): LentTokens {
  let held = 0;
  /** `undefined`: nothing is known of the bucket. */
  let known: { left: number; atMs: number } | undefined;
  let emptyUntilMs = Number.NEGATIVE_INFINITY;
  /** What goes on while nobody can be asked. */
  let alone: { tokens: number; filledAtMs: number; untilMs: number } | undefined;
  /** Taken while alone, of what does not come back. */
  let owed = 0;
  let nextReturnAtMs = Number.NEGATIVE_INFINITY;
  const asked = createPace();
  const given = createPace();

  function leftAt(nowMs: number): number {
    if (!known) return capacity;
    return Math.min(capacity, known.left + (perSecond * (nowMs - known.atMs)) / 1_000);
  }

  function takeAlone(nowMs: number): boolean {
    if (!alone || nowMs >= alone.untilMs) return false;
    const filled = alone.tokens + (perSecond * (nowMs - alone.filledAtMs)) / 1_000;
    alone = { ...alone, tokens: Math.min(capacity, filled), filledAtMs: nowMs };
    if (alone.tokens < 1) return false;
    alone.tokens -= 1;
    owed += 1;
    return true;
  }

  function isEmpty(nowMs: number): boolean {
    return nowMs < emptyUntilMs;
  }

  return {
    noteDemand: (nowMs) => asked.count(nowMs),
    take(nowMs) {
      if (held >= 1) held -= 1;
      else if (!takeAlone(nowMs)) return false;
      given.count(nowMs);
      return true;
    },
    giveBack() {
      held += 1;
    },
    wanted(nowMs, isWaitedFor) {
      if (isEmpty(nowMs)) return 0;
      const ahead = perSecond > 0 ? (perSecond * LENT_AHEAD_MS) / 1_000 : leftAt(nowMs) * LENT_PART;
      const needed = (asked.perSecond(nowMs) * LENT_AHEAD_MS) / 1_000;
      const most = Math.max(1, Math.min(Math.ceil(ahead), Math.ceil(needed), capacity));
      const debt = perSecond > 0 ? 0 : owed;
      // The last ones of a quota must not lie where nobody wants them.
      const isSpared = perSecond === 0 && most === 1 && !isWaitedFor;
      return isSpared || held > most / 2 ? debt : Math.ceil(most - held) + debt;
    },
    receive({ lent, left }, nowMs) {
      alone = undefined;
      held += perSecond > 0 ? lent : lent - owed;
      owed = 0;
      known = { left, atMs: nowMs };
      if (left >= 1) return;
      const msFor = (tokens: number) => (tokens / perSecond) * 1_000;
      const emptyForMs = Math.max(msFor(1 - left), Math.min(LEAST_EMPTY_MS, msFor(capacity / 2)));
      emptyUntilMs = nowMs + (perSecond > 0 ? emptyForMs : EMPTY_QUOTA_MS);
    },
    standAlone(nowMs, forMs) {
      const untilMs = nowMs + forMs;
      alone = alone ? { ...alone, untilMs } : { tokens: leftAt(nowMs), filledAtMs: nowMs, untilMs };
    },
    isWorthAsking: (nowMs) => !isEmpty(nowMs) && !(alone && nowMs < alone.untilMs),
    remaining: (nowMs) => Math.max(0, Math.floor(Math.min(capacity, held + leftAt(nowMs)))),
    returnInMs(nowMs) {
      const pace = Math.max(given.perSecond(nowMs), perSecond * LEAST_PART);
      const firstAtMs = Math.max(emptyUntilMs, nowMs);
      nextReturnAtMs = Math.max(firstAtMs, nextReturnAtMs) + (pace > 0 ? 1_000 / pace : 0);
      nextReturnAtMs = Math.min(nextReturnAtMs, nowMs + MOST_RETURN_MS);
      return nextReturnAtMs - nowMs;
    },
  };
}

/** How often something happens a second, of late. */
function createPace() {
  let [before, counted, sinceMs] = [0, 0, Number.NEGATIVE_INFINITY];

  function follow(nowMs: number): void {
    const lastedMs = nowMs - sinceMs;
    if (lastedMs < MEASURED_OVER_MS) return;
    const latest = (counted / lastedMs) * 1_000;
    before = lastedMs < 2 * MEASURED_OVER_MS ? (before + latest) / 2 : latest;
    [counted, sinceMs] = [0, nowMs];
  }

  return {
    count(nowMs: number): void {
      follow(nowMs);
      counted += 1;
    },
    perSecond(nowMs: number): number {
      follow(nowMs);
      return Math.max(before, (counted / MEASURED_OVER_MS) * 1_000);
    },
  };
}
