import { publicId } from '@accepted/shared/core/job/id';
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
  of(caller: Pick<Caller, 'tenantId' | 'keyId'>): CallersPolicies | undefined;
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
    (asked) => lendTokens(app.db, asked),
    (error) => app.log.warn({ err: error }, 'no tokens are lent; each process goes by what it knows'),
  );
  let known = noRates();
  let reading: Promise<void> | undefined;

  async function read(): Promise<void> {
    try {
      known = knownRates(await readRates(app.db));
    } catch (error) {
      app.log.warn({ err: error }, 'the rates cannot be read');
    }
  }

  app.decorate('rates', {
    ...lender,
    of: ({ tenantId, keyId }) => known.byKey.get(keyId) ?? known.byTenant.get(tenantId),
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
  /** Of a key that has a rate of its own: what holds for it and its tenant. */
  byKey: Map<string, CallersPolicies>;
}

function noRates(): KnownRates {
  return { edition: '', byTenant: new Map(), byKey: new Map() };
}

function knownRates({ edition, tenants, apiKeys }: RatesInForce): KnownRates {
  const byTenant = new Map(
    tenants.map(({ id, rate, dailyQuota }): [string, CallersPolicies] => [
      id,
      { rates: rate ? [ratePolicy('tenant', id, rate)] : [], dailyQuota: dailyQuota ?? undefined },
    ]),
  );
  const byKey = new Map(
    apiKeys.map(({ id, tenantId, rate }): [string, CallersPolicies] => {
      const ofTenant = byTenant.get(tenantId);
      const rates = [ratePolicy('key', id, rate), ...(ofTenant?.rates ?? [])];
      return [publicId('apiKey', id), { rates, dailyQuota: ofTenant?.dailyQuota }];
    }),
  );
  return { edition, byTenant, byKey };
}
