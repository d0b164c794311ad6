import { setTimeout as delay } from 'node:timers/promises';
import {
  type Bucket,
  createLentTokens,
  type LentTokens,
  type Loan,
} from '@accepted/shared/core/overload/lent-tokens';
import type { AskedLoan } from '@accepted/shared/ledger/limits/token-buckets';
import { LRUCache } from 'lru-cache';

/** Takes tokens out of buckets that all processes share, mostly without asking anybody. */
export interface TokenLender {
  /** Takes a token; `false` where there is none. Waits for a moment only where it is not known what is in the bucket. */
  take(bucket: Bucket): boolean | Promise<boolean>;
  giveBack(bucket: Bucket): void;
  /** How many tokens there are, as far as that is known. */
  remaining(bucket: Bucket): number;
  /** In how many milliseconds somebody who found none may come back. */
  returnInMs(bucket: Bucket): number;
}

interface Borrower {
  bucket: Bucket;
  tokens: LentTokens;
  /** Is there while it was asked, and nobody has answered in time. */
  asking: Promise<void> | undefined;
  /** How many wait who found no token. */
  waiting: number;
}

/** Whoever waits for a loan goes by what this process knows after so long. */
const LENT_WITHIN_MS = 100;
/** Where the store does not answer it is not asked again before. */
const ALONE_MS = 1_000;
const MOST_BUCKETS = 50_000;

type Lend = (asked: AskedLoan[]) => Promise<Loan[]>;

const now = () => performance.now();

/** Makes a lender whose loans come from `lend`; `onAlone` is told why there is none. */
export function createTokenLender(lend: Lend, onAlone: (error: unknown) => void): TokenLender {
  const borrowers = new LRUCache<string, Borrower>({ max: MOST_BUCKETS });
  const loans = createLoans(lend, onAlone);

  function borrowerOf(bucket: Bucket): Borrower {
    const key = keyOf(bucket);
    const known = borrowers.get(key);
    if (known) return known;
    const borrower = { bucket, tokens: createLentTokens(bucket), asking: undefined, waiting: 0 };
    borrowers.set(key, borrower);
    return borrower;
  }

  function ask(borrower: Borrower): Promise<void> {
    borrower.asking ??= inTime(borrower, loans.join(borrower)).finally(() => {
      borrower.asking = undefined;
    });
    return borrower.asking;
  }

  async function waitFor(borrower: Borrower): Promise<boolean> {
    const { tokens } = borrower;
    borrower.waiting += 1;
    try {
      // Others who waited for the same loan may have taken all of it.
      do {
        await ask(borrower);
        if (tokens.take(now())) return true;
      } while (tokens.isWorthAsking(now()));
      return false;
    } finally {
      borrower.waiting -= 1;
    }
  }

  return {
    take(bucket) {
      const borrower = borrowerOf(bucket);
      const { tokens } = borrower;
      const nowMs = now();
      tokens.noteDemand(nowMs);
      if (tokens.take(nowMs)) {
        if (!borrower.asking && tokens.isWorthAsking(nowMs) && tokens.wanted(nowMs, 0) > 0)
          void ask(borrower);
        return true;
      }
      return tokens.isWorthAsking(nowMs) && waitFor(borrower);
    },
    giveBack(bucket) {
      if (!borrowerOf(bucket).tokens.giveBack()) loans.putBack(bucket);
    },
    remaining: (bucket) => borrowers.peek(keyOf(bucket))?.tokens.remaining(now()) ?? bucket.capacity,
    returnInMs: (bucket) => borrowerOf(bucket).tokens.returnInMs(now()),
  };
}

/** What was lent under another rate says nothing of this one. */
function keyOf({ name, perSecond, capacity }: Bucket): string {
  return `${perSecond} ${capacity} ${name}`;
}

/** Waits for a loan, but not for long. */
async function inTime({ tokens }: Borrower, lent: Promise<void>): Promise<void> {
  const answered = new AbortController();
  const tooLate = delay(LENT_WITHIN_MS, undefined, { signal: answered.signal }).then(
    () => tokens.standAlone(now(), ALONE_MS),
    () => undefined,
  );
  await Promise.race([lent, tooLate]);
  answered.abort();
}

/** Asks for all loans that are due at a time together, and one at a time. */
function createLoans(lend: Lend, onAlone: (error: unknown) => void) {
  let underWay: Promise<void> = Promise.resolve();
  let next: { borrowers: Set<Borrower>; lent: Promise<void> } | undefined;
  const returned = new Map<string, AskedLoan>();
  let isReturning = false;

  function noteReturned(loan: AskedLoan): void {
    const tokens = loan.tokens + (returned.get(loan.name)?.tokens ?? 0);
    returned.set(loan.name, { ...loan, tokens });
  }

  /** What cannot be given back goes with what is given back next. */
  async function giveBackAll(): Promise<void> {
    isReturning = false;
    const all = [...returned.values()];
    returned.clear();
    try {
      await lend(all);
    } catch (error) {
      for (const loan of all) noteReturned(loan);
      onAlone(error);
    }
  }

  async function lendTo(asking: ReadonlySet<Borrower>): Promise<void> {
    // One whose rate has just been changed may ask the same bucket as it did before.
    const byName = new Map([...asking].map((borrower) => [borrower.bucket.name, borrower]));
    const asked = [...byName.values()].flatMap((borrower) => {
      const tokens = borrower.tokens.wanted(now(), borrower.waiting);
      return tokens > 0 ? [{ borrower, loan: { ...borrower.bucket, tokens } }] : [];
    });
    if (asked.length === 0) return;
    try {
      const loans = await lend(asked.map(({ loan }) => loan));
      for (const [place, { borrower }] of asked.entries()) {
        const loan = loans[place];
        if (loan) borrower.tokens.receive(loan, now());
      }
    } catch (error) {
      for (const { borrower } of asked) borrower.tokens.standAlone(now(), ALONE_MS);
      onAlone(error);
    }
  }

  return {
    /** Resolves when the loan has come, or failed. */
    join(borrower: Borrower): Promise<void> {
      if (!next) {
        const borrowers = new Set<Borrower>();
        underWay = underWay.then(() => {
          next = undefined;
          return lendTo(borrowers);
        });
        next = { borrowers, lent: underWay };
      }
      next.borrowers.add(borrower);
      return next.lent;
    },
    /** What does not come back by itself must not lie where nobody wants it. */
    putBack(bucket: Bucket): void {
      noteReturned({ ...bucket, tokens: -1 });
      if (isReturning) return;
      isReturning = true;
      underWay = underWay.then(giveBackAll);
    },
  };
}
