import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import fp from 'fastify-plugin';
import { sharedSchemas } from '../schemas/shared-schemas.ts';
import { VERSION } from '../version.ts';
import { type ApiDocument, completeDocument } from './api-document.ts';
import { CONVENTIONS } from './conventions.ts';
import { describeOperation } from './operations.ts';
import { SECURITY_SCHEMES, TAGS } from './overview.ts';
import { describeWebhooks } from './webhook-events.ts';

declare module 'fastify' {
  interface FastifyInstance {
    /** The OpenAPI 3.1 document of the routes, without the job types; once the app is ready. */
    apiDocument(): ApiDocument;
  }
}

export interface OpenApiOptions {
  /** Where clients reach this server; unknown, they take the address that they have the document from. */
  serverUrl: string | undefined;
  /** Whether there is a page at `/docs`. */
  showsDocs: boolean;
}

/** Collects the routes that are registered after it into an OpenAPI 3.1 document, and serves a page for it at `/docs`. */
export const openApi = fp<OpenApiOptions>(async (app, { serverUrl, showsDocs }) => {
  for (const schema of sharedSchemas) app.addSchema(schema);
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Accepted',
        version: VERSION,
        description: DESCRIPTION,
        license: { name: 'MIT', identifier: 'MIT' },
        contact: { name: 'The people who run this server' },
      },
      servers: [{ url: serverUrl ?? '/', description: 'This server.' }],
      tags: TAGS,
      components: { securitySchemes: SECURITY_SCHEMES },
      webhooks: describeWebhooks(),
    } as object,
    convertConstToEnum: false,
    refResolver: { buildLocalReference: (schema) => String(schema.$id) },
  });
  app.addHook('onRoute', describeOperation);
  let document: ApiDocument | undefined;
  app.decorate('apiDocument', () => {
    document ??= completeDocument(app.swagger() as unknown as ApiDocument);
    return document;
  });
  if (showsDocs) await serveDocs(app, serverUrl);
});

/** The page and all it needs come from this server: it must work without a network, and leak nothing to a CDN. */
async function serveDocs(app: FastifyInstance, serverUrl: string | undefined): Promise<void> {
  await app.register(swaggerUi, {
    routePrefix: '/docs',
    staticCSP: {
      'default-src': ["'self'"],
      'img-src': ["'self'", 'data:'],
      // Swagger UI sets styles of elements by script.
      'style-src': ["'self'", "'unsafe-inline'"],
      'connect-src': ["'self'", ...(serverUrl ? [new URL(serverUrl).origin] : [])],
      'frame-ancestors': ["'none'"],
    },
    uiConfig: { layout: 'BaseLayout', persistAuthorization: true },
    uiHooks: { onRequest: redirectToDocument },
  });
}

/** The page asks for a document of its own, which would lack what is added to the one of the routes. */
function redirectToDocument(request: FastifyRequest, reply: FastifyReply, done: () => void): void {
  if (/^\/docs\/(json|yaml)$/.test(request.routeOptions.url ?? '')) reply.redirect('../openapi.json');
  else done();
}

const DESCRIPTION =
  'An async job platform: a 202 is a promise that the job survives, runs at least once and has its outcome recorded exactly once.\n\n' +
  CONVENTIONS;
