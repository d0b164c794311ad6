import { createFairQueue } from '@accepted/shared/core/fairness/fair-queue';
import { publicId } from '@accepted/shared/core/job/id';
import { type RatePolicy, ratePolicy } from '@accepted/shared/core/overload/rate-policies';
import type { ApiKeyRow } from '@accepted/shared/ledger/connection/tables';
import { findApiKey, parseApiKey, type Scope, secretMatches } from '@accepted/shared/ledger/tenants/api-keys';
import fp from 'fastify-plugin';
import { LRUCache } from 'lru-cache';
import { missingScope, Problem } from '../http/problem.ts';
import { type DatabaseBudget, spend } from './database-budget.ts';

/** Who sends the request. `keyId` is the public id of the API key. */
export interface Caller {
  tenantId: string;
  keyId: string;
  scopes: readonly string[];
  /** How fast jobs may be submitted with this key; what its tenant may comes on top. */
  rate?: RatePolicy;
}

declare module 'fastify' {
  interface FastifyRequest {
    caller: Caller;
    databaseBudget: DatabaseBudget;
  }
  interface FastifyContextConfig {
    /** What the API key must be allowed to do; every route under `/v1` names one. */
    scope?: Scope;
    /** What does as well. */
    orScope?: Scope;
  }
  interface FastifyInstance {
    /** Makes a revocation hold in this process at once; others learn of it within 5 seconds. */
    forgetApiKey(id: string): void;
  }
}

/** A revoked key may go on working in another process for this long. */
const CACHE_TTL_MS = 5_000;
/** An unknown key is remembered shortly, so that guessing does not load the ledger, and a new key works soon. */
const UNKNOWN_TTL_MS = 1_000;
/** Client addresses take turns at so many, so that somebody who guesses keys holds up nobody who has one. */
const CONCURRENT_LOOKUPS = 2;

/** Authenticates every request of its scope by API key, before its body is read, and checks the route's scope. */
export const authentication = fp<{ databaseBudgetMs: number }>(async (app, { databaseBudgetMs }) => {
  const lookups = createFairQueue({ concurrency: CONCURRENT_LOOKUPS });
  const keys = new LRUCache<string, KnownKey, string>({
    max: 10_000,
    ttl: CACHE_TTL_MS,
    fetchMethod: async (id, _stale, { options, context: address }) => {
      const row = await lookups.run(address, () => findApiKey(app.pools.admission, id));
      if (!row) options.ttl = UNKNOWN_TTL_MS;
      return row && !row.revoked_at ? { caller: callerOf(row), secretHash: row.secret_hash } : {};
    },
  });

  /** The headers that were found right by what `keys` still holds, so that none is decoded and hashed at each request. */
  const recognizedHeaders = new LRUCache<string, { id: string; known: KnownKey }>({
    max: 10_000,
    ttl: CACHE_TTL_MS,
  });

  function recognized(header: string): Caller | undefined {
    const found = recognizedHeaders.get(header);
    return found && keys.get(found.id) === found.known ? found.known.caller : undefined;
  }

  async function identify(header: string, address: string, budget: DatabaseBudget): Promise<Caller> {
    const [, token] = /^Bearer +(\S+)$/i.exec(header) ?? [];
    if (!token) throw unauthenticated('The request carries no API key.', '');
    const given = parseApiKey(token);
    if (!given) throw unknownKey();
    const known = await spend(budget, keys.fetch(given.id, { context: address }));
    if (!known?.caller || !secretMatches(given.secret, known.secretHash)) throw unknownKey();
    recognizedHeaders.set(`Bearer ${token}`, { id: given.id, known });
    app.clients.remember(header, known.caller.tenantId);
    return known.caller;
  }

  app.decorate('forgetApiKey', (id) => {
    keys.delete(id);
  });
  app.decorateRequest('caller');
  app.decorateRequest('databaseBudget');

  app.addHook('onRoute', ({ config, method, url }) => {
    if (!config?.scope) throw new Error(`The route ${method} ${url} names no scope.`);
  });

  // No async function: hardly any request has to wait here, and each would wait for a promise.
  app.addHook('onRequest', (request, _reply, done) => {
    request.databaseBudget = { remainingMs: databaseBudgetMs };
    const { authorization = '' } = request.headers;
    const admit = (caller: Caller) => {
      request.caller = caller;
      const { scope = '', orScope = scope } = request.routeOptions.config;
      const mayCall = caller.scopes.includes(scope) || caller.scopes.includes(orScope);
      done(mayCall ? undefined : missingScope(scope));
    };
    const caller = recognized(authorization);
    if (caller) admit(caller);
    else identify(authorization, request.ip, request.databaseBudget).then(admit, done);
  });
});

/** What is remembered of an id: whose key it is, or that there is none that works. */
type KnownKey = { caller: Caller; secretHash: Buffer } | { caller?: undefined };

function callerOf(row: ApiKeyRow): Caller {
  const { id, rate_per_second: perSecond, burst } = row;
  const caller = { tenantId: row.tenant_id, keyId: publicId('apiKey', id), scopes: row.scopes };
  return perSecond === null ? caller : { ...caller, rate: ratePolicy('key', id, { perSecond, burst }) };
}

function unknownKey(): Problem {
  return unauthenticated('The API key is unknown or revoked.', ', error="invalid_token"');
}

function unauthenticated(detail: string, parameters: string): Problem {
  const headers = { 'www-authenticate': `Bearer realm="accepted"${parameters}` };
  return new Problem('unauthenticated', { detail, headers });
}
