import type { FastifyRequest } from 'fastify';
import fp from 'fastify-plugin';
import { Problem } from '../http/problem.ts';

/** Bodies that are received or worked on at once. */
export interface BodyBounds {
  maxBytes: number;
  maxBytesPerTenant: number;
}

export interface BodyAdmissionOptions extends BodyBounds {
  maxBodyBytes: number;
}

/**
 * Bounds the bytes of bodies that are here at once, in all and of each tenant, before they are read. Comes after
 * authentication: whoever has no key sends no body at all.
 */
export const bodyAdmission = fp<BodyAdmissionOptions>(async (app, options) => {
  const { maxBodyBytes, maxBytes, maxBytesPerTenant } = options;
  const ofTenant = new Map<string, number>();
  let total = 0;

  function change(tenantId: string, bytes: number): void {
    const sum = (ofTenant.get(tenantId) ?? 0) + bytes;
    total += bytes;
    if (sum > 0) ofTenant.set(tenantId, sum);
    else ofTenant.delete(tenantId);
  }

  app.addHook('onRequest', (request, reply, done) => {
    const bytes = bytesToCome(request, maxBodyBytes);
    if (bytes === 0) return done();
    const { tenantId } = request.caller;
    const ofThis = ofTenant.get(tenantId) ?? 0;
    // One that is larger than the bound by itself is taken alone.
    if ((ofThis > 0 && ofThis + bytes > maxBytesPerTenant) || (total > 0 && total + bytes > maxBytes))
      return done(tooManyBytes());
    change(tenantId, bytes);
    // Comes once for each, also when the client is gone, where Fastify's `onResponse` does not.
    reply.raw.once('close', () => change(tenantId, -bytes));
    done();
  });
});

/** What is too large is refused as such, and one that says nothing of its length may be as long as any. */
function bytesToCome({ headers }: FastifyRequest, maxBodyBytes: number): number {
  if (headers['transfer-encoding'] !== undefined) return maxBodyBytes;
  return Math.min(Number(headers['content-length'] ?? 0) || 0, maxBodyBytes);
}

function tooManyBytes(): Problem {
  const detail =
    'The bodies of the requests that are under way are too large to take another. Nothing was done.';
  return new Problem('overloaded', { detail, headers: { 'retry-after': '1' } });
}
