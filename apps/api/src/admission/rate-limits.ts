import {
  limitHeader,
  policyHeader,
  type RatePolicy,
  secondsToMidnight,
} from '@accepted/shared/core/overload/rate-policies';
import { wholeSeconds } from '@accepted/shared/core/overload/return-line';
import type { FastifyReply } from 'fastify';
import fp from 'fastify-plugin';
import { Problem } from '../http/problem.ts';
import type { Caller } from './authentication.ts';
import type { CallersPolicies, Rates } from './rates.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Each request may make a job: it takes a token of what its caller may submit a second. */
    takesJobs?: boolean;
  }
}

/**
 * Tells callers for whom rates or quotas are laid down what is left of them, and refuses jobs that come faster, before their bodies
 * are read. Comes after authentication.
 */
export const rateLimits = fp(async (app) => {
  const { rates } = app;
  app.addHook('onRequest', (request, reply, done) => {
    const policies = rates.of(request.caller);
    if (!policies) return done();
    const end = (empty: RatePolicy | undefined) => {
      showLimits(rates, request.caller, reply);
      if (empty) app.noteSubmitted(request.caller.tenantId);
      done(empty && rateLimited(rates, empty));
    };
    if (!request.routeOptions.config.takesJobs) return end(undefined);
    const empty = takeEach(rates, policies.rates, 0);
    if (empty instanceof Promise) empty.then(end, done);
    else end(empty);
  });
});

/** Takes a token of each from `place` on; answers the first that has none, and gives back what was taken before. */
function takeEach(
  rates: Rates,
  policies: CallersPolicies['rates'],
  place: number,
): RatePolicy | undefined | Promise<RatePolicy | undefined> {
  const policy = policies[place];
  if (!policy) return undefined;
  const goOn = (isTaken: boolean) => {
    if (isTaken) return takeEach(rates, policies, place + 1);
    for (const { bucket } of policies.slice(0, place)) rates.giveBack(bucket);
    return policy;
  };
  const taken = rates.take(policy.bucket);
  return taken instanceof Promise ? taken.then(goOn) : goOn(taken);
}

/** Sets `RateLimit` and `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers), where anything is laid down for the caller. */
export function showLimits(rates: Rates, caller: Caller, reply: FastifyReply): void {
  const found = rates.of(caller);
  if (!found) return;
  const { dailyQuota } = found;
  const policies =
    dailyQuota === undefined ? found.rates : [...found.rates, rates.quotaOf(caller, dailyQuota)];
  reply.headers({
    'ratelimit-policy': policyHeader(policies),
    ratelimit: limitHeader(policies, rates.remaining, new Date()),
  });
}

const nothingToGiveBack = () => undefined;

/**
 * Takes a job out of what its tenant may submit today. The answer gives it back, where no job came of it. Throws a problem where
 * nothing is left.
 */
export function takeOfQuota(rates: Rates, caller: Caller): (() => void) | Promise<() => void> {
  const { dailyQuota } = rates.of(caller) ?? {};
  if (dailyQuota === undefined) return nothingToGiveBack;
  const { bucket } = rates.quotaOf(caller, dailyQuota);
  const end = (isTaken: boolean) => {
    if (!isTaken) throw quotaExceeded();
    return () => rates.giveBack(bucket);
  };
  const taken = rates.take(bucket);
  return taken instanceof Promise ? taken.then(end) : end(taken);
}

function rateLimited(rates: Rates, { name, bucket }: RatePolicy): Problem {
  const seconds = wholeSeconds(rates.returnInMs(bucket));
  return new Problem('rate_limited', {
    headers: { 'retry-after': String(seconds) },
    members: { violatedPolicies: [name] },
  });
}

/** Those who wait for the next day must not all come with its first second. */
const SPREAD_SECONDS = 60;

function quotaExceeded(): Problem {
  const seconds = secondsToMidnight(new Date()) + Math.ceil(Math.random() * SPREAD_SECONDS);
  return new Problem('quota_exceeded', {
    headers: { 'retry-after': String(seconds) },
    members: { violatedPolicies: ['daily'] },
  });
}
