import type { FastifyInstance, RouteOptions } from 'fastify';

interface OperationSchema {
  summary?: string;
  description?: string;
  operationId?: string;
  security?: Record<string, string[]>[];
}

/**
 * Completes what a route says of itself for OpenAPI. Each route is a plugin whose name says what it does, as
 * `submitJob`: that is the name that a client has for it too, unless the route gives itself another.
 */
export function describeOperation(this: FastifyInstance, route: RouteOptions): void {
  const schema = route.schema as OperationSchema | undefined;
  if (!schema?.summary) return;
  // The plugins that it uses itself come after its own name.
  const [pluginName] = this.pluginName.split(' -> ');
  const scope = schema.security?.[0]?.apiKey?.[0];
  const description = schema.description ?? `${schema.summary}.`;
  route.schema = {
    ...route.schema,
    operationId: schema.operationId ?? pluginName,
    ...(scope === undefined ? { description, security: [] } : withScope(description, scope)),
  } as object;
}

/** OpenAPI 3.1 has room for the scope in `security`, but readers of it know scopes of OAuth only. */
function withScope(description: string, scope: string): object {
  return {
    description: `${description}\n\nNeeds the scope \`${scope}\`.`,
    security: [{ apiKey: [] }],
    'x-required-scope': scope,
  };
}
