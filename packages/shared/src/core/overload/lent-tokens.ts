import { createPace } from './pace.ts';
import { createReturnLine } from './return-line.ts';

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
  /** Takes a token back that was taken for what was then not done; `false` where it is to go back into the bucket. */
  giveBack(): boolean;
  /** How many tokens to be lent where so many wait for one; 0 while enough are held, or the bucket is known to be empty. */
  wanted(nowMs: number, waiting: number): number;
  receive(loan: Loan, nowMs: number): void;
  /** For so long nobody can be asked: until then it goes by what it knows, and leaves to others what they took of late. */
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
/** A process that was given nothing of late goes by this part of what comes back. */
const LEAST_PART = 1 / 20;

export function createLentTokens({ perSecond, capacity }: Omit<Bucket, 'name'>): LentTokens {
  let held = 0;
  /** `undefined`: nothing is known of the bucket. */
  let known: { left: number; atMs: number } | undefined;
  let emptyUntilMs = Number.NEGATIVE_INFINITY;
  const alone = createOwnBucket(perSecond, capacity);
  const shared = createOwnPart(perSecond);
  /** Taken while alone, and to be taken out of the bucket yet. */
  let owed = 0;
  const returns = createReturnLine();
  const asked = createPace();
  const given = createPace();

  function leftAt(nowMs: number): number {
    if (!known) return capacity;
    return Math.min(capacity, known.left + (perSecond * (nowMs - known.atMs)) / 1_000);
  }

  /** The bucket has filled as if nobody had taken anything: what is missing in the own one is to be taken out of it. */
  function owedAt(nowMs: number): number {
    return owed + alone.missing(leftAt(nowMs), nowMs);
  }

  function isEmpty(nowMs: number): boolean {
    return nowMs < emptyUntilMs;
  }

  /** How many tokens to have at hand, where so many wait for one. */
  function wantedAtHand(nowMs: number, waiting: number): number {
    const ahead = perSecond > 0 ? (perSecond * LENT_AHEAD_MS) / 1_000 : leftAt(nowMs) * LENT_PART;
    const needed = (asked.perSecond(nowMs) * LENT_AHEAD_MS) / 1_000;
    const most = Math.ceil(Math.min(ahead, needed));
    // The last ones of a quota must not lie where nobody wants them.
    const least = perSecond > 0 || most > 1 ? 1 : 0;
    // Whoever waits has to be told, also where there can be none.
    return Math.max(Math.min(1, waiting), Math.min(capacity, Math.max(waiting, most > 1 ? most : least)));
  }

  return {
    noteDemand: (nowMs) => asked.count(nowMs),
    take(nowMs) {
      if (held >= 1) held -= 1;
      else if (!alone.take(nowMs)) return false;
      given.count(nowMs);
      return true;
    },
    giveBack() {
      if (alone.giveBack()) return true;
      if (perSecond === 0) return false;
      held += 1;
      return true;
    },
    wanted(nowMs, waiting) {
      if (isEmpty(nowMs)) return 0;
      const atHand = wantedAtHand(nowMs, waiting);
      return owedAt(nowMs) + (held > atHand / 2 ? 0 : Math.ceil(atHand - held));
    },
    receive({ lent, left }, nowMs) {
      const debt = owedAt(nowMs);
      alone.close();
      if (known) shared.note({ lent, missing: leftAt(nowMs) - lent - left }, nowMs - known.atMs);
      owed = Math.max(0, debt - lent);
      held += Math.max(0, lent - debt);
      known = { left, atMs: nowMs };
      if (left >= 1) return;
      const msFor = (tokens: number) => (tokens / perSecond) * 1_000;
      const emptyForMs = Math.max(msFor(1 - left), Math.min(LEAST_EMPTY_MS, msFor(capacity / 2)));
      emptyUntilMs = nowMs + (perSecond > 0 ? emptyForMs : EMPTY_QUOTA_MS);
    },
    standAlone(nowMs, forMs) {
      alone.open({ tokens: Math.max(0, leftAt(nowMs) - owed), part: shared.part() }, nowMs, forMs);
    },
    isWorthAsking: (nowMs) => !isEmpty(nowMs) && !alone.isOpen(nowMs),
    remaining: (nowMs) => Math.max(0, Math.floor(Math.min(capacity, held + leftAt(nowMs) - owedAt(nowMs)))),
    returnInMs(nowMs) {
      const pace = Math.max(given.perSecond(nowMs), perSecond * LEAST_PART);
      return returns.nextInMs(nowMs, pace, Math.max(0, emptyUntilMs - nowMs));
    },
  };
}

/** What a process goes by while nobody can be asked. */
function createOwnBucket(perSecond: number, capacity: number) {
  let bucket: { tokens: number; part: number; filledAtMs: number; untilMs: number } | undefined;
  const isOpen = (nowMs: number) => bucket !== undefined && nowMs < bucket.untilMs;

  function tokensAt(nowMs: number): number {
    if (!bucket) return 0;
    const { tokens, part, filledAtMs } = bucket;
    const filled = tokens + (part * perSecond * (nowMs - filledAtMs)) / 1_000;
    return Math.min(Math.max(1, part * capacity), filled);
  }

  return {
    isOpen,
    /** Takes this part of what was there and of what comes back; one that is open goes on with what is in it. */
    open({ tokens, part }: { tokens: number; part: number }, nowMs: number, forMs: number): void {
      const own = bucket ?? { tokens: tokens * part, part, filledAtMs: nowMs };
      bucket = { ...own, untilMs: nowMs + forMs };
    },
    close(): void {
      bucket = undefined;
    },
    take(nowMs: number): boolean {
      if (!bucket || !isOpen(nowMs)) return false;
      const tokens = tokensAt(nowMs);
      Object.assign(bucket, { tokens, filledAtMs: nowMs });
      if (tokens < 1) return false;
      bucket.tokens -= 1;
      return true;
    },
    /** `false`: there is none. */
    giveBack(): boolean {
      if (bucket) bucket.tokens += 1;
      return bucket !== undefined;
    },
    /** How many there are fewer than in the same part of what is left where nobody took any. */
    missing(left: number, nowMs: number): number {
      return bucket ? Math.max(0, Math.ceil(bucket.part * left - tokensAt(nowMs))) : 0;
    },
  };
}

/** Over so long it is measured what others take. */
const SHARED_OVER_MS = 500;

/** Measures which part of a bucket is this process's, by what is missing when it asks: others have taken that. */
function createOwnPart(perSecond: number) {
  let [own, others, lastedMs] = [0, 0, 0];
  let part = 1;

  return {
    note({ lent, missing }: { lent: number; missing: number }, overMs: number): void {
      own += lent;
      others += Math.max(0, missing);
      lastedMs += overMs;
      if (lastedMs < SHARED_OVER_MS || perSecond === 0) return;
      // What came at once was taken out of what had been left, and nobody takes as much of what comes back.
      const ofTaken = others > 0 ? own / (own + others) : 1;
      const ofRate = 1 - (others / lastedMs / perSecond) * 1_000;
      part = Math.max(LEAST_PART, ofTaken, ofRate);
      [own, others, lastedMs] = [0, 0, 0];
    },
    part: () => part,
  };
}
