import { gateOf } from '@accepted/shared/core/fairness/gates';
import { StartAllowance, type StartRate } from '@accepted/shared/core/fairness/start-allowance';
import type { Database } from '@accepted/shared/ledger/connection/connect';
import type { MarkedJob } from '@accepted/shared/ledger/jobs/take-jobs';
import { lendTokens } from '@accepted/shared/ledger/limits/token-buckets';

/** How many jobs a dispatcher may start by the rates of its queue and of types, over all dispatchers. */
export interface StartRates {
  /** By gate: how many more may be started just now. Asks the ledger where there are none left and may be some again. */
  rooms(rates: readonly StartRate[]): Promise<ReadonlyMap<string, number>>;
  /** Notes that these were started. */
  spend(jobs: readonly Pick<MarkedJob, 'type'>[]): void;
  /** In how many milliseconds a gate that is closed may be open again; infinite where none is. */
  nextInMs(): number;
}

export function createStartRates(db: Database): StartRates {
  let allowances = new Map<string, StartAllowance>();

  /** What was lent under another rate says nothing of this one. */
  function follow(rates: readonly StartRate[]): void {
    allowances = new Map(
      rates.map((rate) => {
        const known = allowances.get(rate.gate);
        return [rate.gate, known?.bucket.perSecond === rate.perSecond ? known : new StartAllowance(rate)];
      }),
    );
  }

  async function borrow(): Promise<void> {
    const nowMs = performance.now();
    const asking = [...allowances.values()].flatMap((allowance) => {
      const tokens = allowance.wanted(nowMs);
      return tokens > 0 ? [{ allowance, loan: { ...allowance.bucket, tokens } }] : [];
    });
    if (asking.length === 0) return;
    const loans = await lendTokens(
      db,
      asking.map(({ loan }) => loan),
    );
    for (const [place, { allowance }] of asking.entries()) {
      const loan = loans[place];
      if (loan) allowance.receive(loan, performance.now());
    }
  }

  return {
    async rooms(rates) {
      follow(rates);
      await borrow();
      return new Map([...allowances].map(([gate, allowance]) => [gate, allowance.room()]));
    },
    spend(jobs) {
      allowances.get(gateOf.queue())?.spend(jobs.length);
      for (const { type } of jobs) allowances.get(gateOf.type(type))?.spend(1);
    },
    nextInMs() {
      const nowMs = performance.now();
      const closed = [...allowances.values()].filter((allowance) => allowance.room() === 0);
      return Math.min(Number.POSITIVE_INFINITY, ...closed.map((allowance) => allowance.nextInMs(nowMs)));
    },
  };
}
