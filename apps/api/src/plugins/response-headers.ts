import fp from 'fastify-plugin';
import helmet, { type HelmetOptions } from 'helmet';

/** Nothing here is a page but the docs, the problem pages and Bull Board; those set a policy of their own. */
const HELMET_OPTIONS: HelmetOptions = {
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
};

/** Sets what browsers need to know, and the id of the request. */
export const responseHeaders = fp(async (app) => {
  const headers = securityHeaders();
  app.addHook('onRequest', (request, reply, done) => {
    reply.headers(headers).header('x-request-id', request.id);
    done();
  });
});

/** Asks helmet once: with these options its headers are the same for every response. */
function securityHeaders(): Record<string, string> {
  const headers: Record<string, string> = {};
  const response = {
    setHeader: (name: string, value: string) => void Object.assign(headers, { [name.toLowerCase()]: value }),
    removeHeader: () => undefined,
  };
  helmet(HELMET_OPTIONS)({} as never, response as never, () => undefined);
  return headers;
}
