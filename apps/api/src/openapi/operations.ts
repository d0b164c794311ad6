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
  const scopes = (schema.security ?? []).flatMap(({ apiKey = [] }) => apiKey);
  const description = schema.description ?? `${schema.summary}.`;
  route.schema = {
    ...route.schema,
    operationId: schema.operationId ?? pluginName,
    ...(scopes.length === 0 ? { description, security: [] } : withScopes(description, scopes)),
  } as object;
}

/** OpenAPI 3.1 has room for scopes in `security`, but readers of it know scopes of OAuth only. */
function withScopes(description: string, scopes: string[]): object {
  const named = scopes.map((scope) => `\`${scope}\``).join(' or ');
  return {
    description: `${description}\n\nNeeds the scope ${named}.`,
    security: [{ apiKey: [] }],
    'x-required-scope': scopes[0],
    ...(scopes[1] && { 'x-or-scope': scopes[1] }),
  };
}
