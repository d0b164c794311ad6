import { idempotencyFingerprint, type RequestKey } from '@accepted/shared/core/job/idempotency-fingerprint';
import { asOperator, asTenant } from '@accepted/shared/ledger/connection/as-tenant';
import {
  actOnce as actOnceInLedger,
  type Done,
  type KeyedAct,
} from '@accepted/shared/ledger/jobs/idempotency-keys';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { parseIdempotencyKey } from './idempotency-key.ts';
import { Problem } from './problem.ts';

/** What a request does, and how its answer can be made again when the request comes again. */
export interface Deed<Made, Kept> {
  /**
   * Does it, by functions of the ledger that take part in its transaction. Throws a problem where there is nothing to do:
   * that is not remembered. May run again after a conflict, and must not ask for another connection.
   */
  act: KeyedAct<Made>['act'];
  /** Answers what is kept of it: JSON of 4 kB at most, so an id rather than a thing, and no secret in the clear. */
  keep(made: Made): Kept;
  /** Reads what was made, as it is now. */
  recall(kept: Kept): Made | Promise<Made>;
  /** Only the API key that sent the first request is told again: for answers with a secret. */
  isPrivate?: boolean;
  /** Whether it reaches beyond the caller's tenant: then no policy holds for its transaction. */
  isOperators?: boolean;
}

/**
 * Does what a request asks for, once for its `Idempotency-Key`: the same request again is told what the first did, with
 * `Idempotent-Replayed`. The body must be valid, and what the caller may do must have been checked.
 */
export async function actOnce<Made, Kept>(
  request: FastifyRequest,
  reply: FastifyReply,
  { act, keep, recall, isPrivate = false, isOperators = false }: Deed<Made, Kept>,
): Promise<Done<Made> & { isReplay: boolean }> {
  const { db } = request.server;
  const { tenantId } = request.caller;
  const requestKey = requestKeyOf(request, isPrivate);
  if (!requestKey)
    return { ...(await (isOperators ? asOperator : asTenant)(db, tenantId, act)), isReplay: false };
  const result = await actOnceInLedger(db, { tenantId, isOperators, requestKey, act, keep });
  switch (result.kind) {
    case 'keyReused':
      throw new Problem('idempotency_key_reused');
    case 'keyInUse':
      throw new Problem('idempotency_key_in_use', { headers: { 'retry-after': '1' } });
    case 'done':
      return { status: result.status, made: result.made, isReplay: false };
    case 'replayed': {
      const made = await recall(result.kept as Kept);
      reply.header('idempotent-replayed', 'true');
      return { status: result.status, made, isReplay: true };
    }
  }
}

/** A key belongs to its route, so that one used on another is another key; what the path names is part of what is asked. */
function requestKeyOf(request: FastifyRequest, isPrivate: boolean): RequestKey | undefined {
  const { method, url, routeOptions, body, caller } = request;
  const key = parseIdempotencyKey(request.headers['idempotency-key'] as string | string[] | undefined);
  if (key === undefined) return undefined;
  const target = `${method} ${url}${isPrivate ? ` by ${caller.keyId}` : ''}`;
  return {
    route: `${method} ${routeOptions.url}`,
    key,
    fingerprint: idempotencyFingerprint(target, body ?? null),
  };
}
