import { SCOPES } from '@accepted/shared/database/api-keys';
import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import fp from 'fastify-plugin';
import { sharedSchemas } from '../schemas/shared-schemas.ts';

export interface OpenApiOptions {
  publicUrl: string;
}

/** Collects the routes that are registered after it into an OpenAPI 3.1 document, and serves a page for it at `/docs`. */
export const openApi = fp<OpenApiOptions>(async (app, { publicUrl }) => {
  for (const schema of sharedSchemas) app.addSchema(schema);
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'Accepted', version: '0.1.0', description: DESCRIPTION },
      servers: [{ url: publicUrl }],
      tags: TAGS,
      components: {
        securitySchemes: {
          apiKey: {
            type: 'http',
            scheme: 'bearer',
            description: `An API key. Scopes: ${SCOPES.join(', ')}.`,
          },
        },
      },
    },
    refResolver: { buildLocalReference: (schema) => String(schema.$id) },
  });
  // The page and all it needs come from this server: it must work without a network, and leak nothing to a CDN.
  await app.register(swaggerUi, {
    routePrefix: '/docs',
    staticCSP: {
      'default-src': ["'self'"],
      'img-src': ["'self'", 'data:'],
      // Swagger UI sets styles of elements by script.
      'style-src': ["'self'", "'unsafe-inline'"],
      'connect-src': ["'self'", new URL(publicUrl).origin],
      'frame-ancestors': ["'none'"],
    },
    uiConfig: { url: '/openapi.json', persistAuthorization: true },
  });
});

const DESCRIPTION =
  'An async job platform: a 202 is a promise that the job survives, runs at least once and has its outcome recorded exactly once.';

const TAGS = [
  { name: 'jobs', description: 'Submit jobs and follow them to their result.' },
  { name: 'dead-letters', description: 'Jobs that failed for good: look into them, replay or discard them.' },
  { name: 'catalog', description: 'What can run, and how busy the queues are.' },
  { name: 'api-keys', description: 'Keys of your tenant; scope `admin`.' },
  { name: 'audit-log', description: 'Who did what; scope `admin`.' },
  { name: 'operations', description: 'For load balancers, people and generators of clients.' },
];
