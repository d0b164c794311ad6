import { isDatabaseUnavailable } from '@accepted/shared/ledger/connection/connect';
import { mayBeSchemaMismatch } from '@accepted/shared/ledger/connection/schema-version';
import { ForgoneError } from '@accepted/shared/runtime/batching/batcher';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import fp from 'fastify-plugin';
import { databaseUnavailable } from '../admission/database-budget.ts';
import { isRefusal } from '../admission/decisions.ts';
import { createAllowedMethods } from '../http/allowed-methods.ts';
import { Problem, problemBody } from '../http/problem.ts';

export interface ProblemDetailsOptions {
  publicUrl: string;
}

/** Answers every error as `application/problem+json` (RFC 9457) with a code of the registry. */
export const problemDetails = fp<ProblemDetailsOptions>(async (app, { publicUrl }) => {
  app.setErrorHandler(async (error, request, reply) => {
    const cause = mayBeSchemaMismatch(error) ? await findCause(app, error) : error;
    sendProblem(toProblem(cause), publicUrl, request, reply);
    return reply;
  });
  const allowedMethods = createAllowedMethods();
  app.addHook('onRoute', ({ method, url }) => {
    // The preflight of every path is no resource.
    if (url !== '*') allowedMethods.add(method, url);
  });
  const notFound = ({ url, method }: FastifyRequest) => {
    const [path = ''] = url.split('?');
    return noSuchRoute(method, path, allowedMethods.of(path));
  };
  // Before the body is read: whoever has no key must not have one parsed by asking for what there is not.
  app.addHook('onRequest', (request, _reply, done) => done(request.is404 ? notFound(request) : undefined));
  app.setNotFoundHandler((request) => {
    throw notFound(request);
  });
});

function noSuchRoute(method: string, path: string, allowed: string[]): Problem {
  // A route that takes the method has looked for something, as for a file, and there is none.
  if (allowed.length === 0 || allowed.includes(method))
    return new Problem('not_found', { detail: `There is nothing at ${path}.` });
  const detail = `${path} has no method ${method}.`;
  return new Problem('method_not_allowed', { detail, headers: { allow: allowed.join(', ') } });
}

/** Writes a problem as the answer. */
function sendProblem(
  problem: Problem,
  publicUrl: string,
  request: FastifyRequest,
  reply: FastifyReply,
): void {
  if (isRefusal(problem)) request.server.decisions.refused(problem);
  else if (problem.status >= 500) request.log.error({ err: problem.cause ?? problem }, problem.code);
  reply
    .code(problem.status)
    .headers(problem.headers)
    .header('cache-control', 'no-store')
    .type('application/problem+json')
    .send(problemBody(problem, publicUrl, request.id));
}

/** A statement that Postgres does not understand any more: a migration may have run since the last look. */
async function findCause(app: FastifyInstance, error: unknown): Promise<unknown> {
  return (await app.schemaGuard.look().catch(() => undefined)) ?? error;
}

/** Turns whatever was thrown into a problem; what is unknown stays inside as `internal_error`. */
function toProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (isDatabaseUnavailable(error) || error instanceof ForgoneError) return databaseUnavailable(error);
  if (!(error instanceof Error)) return new Problem('internal_error', { cause: error });
  const { code = '', statusCode = 500 } = error as FastifyError;
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') return new Problem('body_too_large');
  if (code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE') return new Problem('unsupported_media_type');
  if (statusCode >= 400 && statusCode < 500)
    return new Problem('malformed_request', { detail: error.message });
  return new Problem('internal_error', { cause: error });
}
