import helmet from '@fastify/helmet';
import fp from 'fastify-plugin';

/**
 * Sets what browsers need to know. Nothing here is a page but the docs, the problem pages and Bull Board; those set a
 * policy of their own.
 */
export const responseHeaders = fp(async (app) => {
  await app.register(helmet, {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] },
    },
    frameguard: { action: 'deny' },
    // Whether there is TLS, and for which hosts, is for the proxy in front to say.
    hsts: false,
    // For pages of old browsers, or plugins that are gone: nothing to say to who reads JSON.
    originAgentCluster: false,
    dnsPrefetchControl: false,
    ieNoOpen: false,
    permittedCrossDomainPolicies: false,
    xssFilter: false,
  });
  app.addHook('onRequest', async (request, reply) => {
    reply.header('x-request-id', request.id);
  });
});
