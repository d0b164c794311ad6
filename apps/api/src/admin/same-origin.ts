import fp from 'fastify-plugin';

const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS']);

/**
 * Refuses what changes something unless a page of this very server sent it. `SameSite=Strict` keeps other sites from
 * using the operator's session already, but takes every port and subdomain for the same site.
 */
export const sameOrigin = fp<{ publicUrl: string }>(async (app, { publicUrl }) => {
  const publicHost = new URL(publicUrl).host;

  app.addHook('onRequest', async (request, reply) => {
    // Under `no-referrer`, which holds for the rest, browsers send forms without their origin.
    reply.header('referrer-policy', 'same-origin').header('cache-control', 'no-store');
    if (SAFE_METHODS.has(request.method)) return;
    const from = URL.parse(request.headers.origin ?? '')?.host;
    if (from !== undefined && (from === request.headers.host || from === publicHost)) return;
    return reply.code(403).send({ error: 'This must be sent by a page of this server.' });
  });
});
