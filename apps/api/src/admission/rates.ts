import { quotaPolicy, type RatePolicy, ratePolicy } from '@accepted/shared/core/overload/rate-policies';
import { type RatesInForce, readRates } from '@accepted/shared/ledger/limits/rates';
import { lendTokens } from '@accepted/shared/ledger/limits/token-buckets';
import fp from 'fastify-plugin';
import type { Caller } from './authentication.ts';
import { createTokenLender, type TokenLender } from './token-lender.ts';

/** What holds for a caller, cheapest first. */
export interface CallersPolicies {
  rates: readonly RatePolicy[];
  /** `undefined`: any number a day. */
  dailyQuota: number | undefined;
}

export interface Rates extends TokenLender {
  /** `undefined`: nothing is laid down for the caller. */
  of(caller: Pick<Caller, 'tenantId' | 'rate'>): CallersPolicies | undefined;
  /** The policy of the present day. */
  quotaOf(caller: Pick<Caller, 'tenantId'>, dailyQuota: number): RatePolicy;
  /** Is told which edition of the rates is in force; reads them where that is another one. */
  follow(edition: string): void;
}

declare module 'fastify' {
  interface FastifyInstance {
    rates: Rates;
  }
}

/** Knows the rates and quotas that are in force, and takes tokens for them. */
export const rates = fp(async (app) => {
  const lender = createTokenLender(
    (asked) => lendTokens(app.pools.admission, asked),
    (error) => app.log.warn({ err: error }, 'no tokens are lent; each process goes by what it knows'),
  );
  let known: KnownRates = { edition: '', byTenant: new Map() };
  let reading: Promise<void> | undefined;

  async function read(): Promise<void> {
    try {
      known = knownRates(await readRates(app.pools.admission));
    } catch (error) {
      app.log.warn({ err: error }, 'the rates cannot be read');
    }
  }

  app.decorate('rates', {
    ...lender,
    of({ tenantId, rate }) {
      const ofTenant = known.byTenant.get(tenantId);
      return rate
        ? { rates: [rate, ...(ofTenant?.rates ?? [])], dailyQuota: ofTenant?.dailyQuota }
        : ofTenant;
    },
    quotaOf: ({ tenantId }, dailyQuota) => quotaPolicy(tenantId, dailyQuota, new Date()),
    follow(edition) {
      if (edition === known.edition) return;
      reading ??= read().finally(() => {
        reading = undefined;
      });
    },
  });
  app.addHook('onClose', async () => await reading);
});

interface KnownRates {
  edition: string;
  byTenant: Map<string, CallersPolicies>;
}

function knownRates({ edition, tenants }: RatesInForce): KnownRates {
  const byTenant = new Map(
    tenants.map(({ id, rate, dailyQuota }): [string, CallersPolicies] => [
      id,
      { rates: rate ? [ratePolicy('tenant', id, rate)] : [], dailyQuota: dailyQuota ?? undefined },
    ]),
  );
  return { edition, byTenant };
}
