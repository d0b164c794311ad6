import { stringifyWithTexts } from '@accepted/shared/core/json/json-text';
import type { FastifyRequest } from 'fastify';
import fp from 'fastify-plugin';
import { ajvForRequests, createBodyChecks } from '../http/body-check.ts';
import { compileCheck, mergeFaults } from '../http/faults.ts';
import { type Fault, invalidParameter, Problem, validationFailed } from '../http/problem.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The route adds faults of its own to those of its schema, and throws them all at once. */
    collectsFaults?: boolean;
  }
}

const POINTER_PREFIXES: Record<string, string> = {
  querystring: '/query',
  params: '/path',
  headers: '/headers',
};

/**
 * Checks requests against the schemas of their routes and reports all faults at once. Query parameters are text, so
 * they are converted and get defaults; a body has types of its own and is never changed.
 */
export const validation = fp(async (app) => {
  const checkOfBody = createBodyChecks();
  const forText = ajvForRequests({ allErrors: true, coerceTypes: true, useDefaults: true });

  app.setValidatorCompiler<object>(({ schema, httpPart = '' }) => {
    const prefix = POINTER_PREFIXES[httpPart];
    const findFaults =
      prefix === undefined ? checkOfBody(schema) : compileCheck(forText, schema, { prefix, isText: true });
    return (value: unknown) => {
      const faults = findFaults(value);
      if (faults.length === 0) return true;
      return { error: prefix === undefined ? validationFailed(faults) : invalidParameter(faults) };
    };
  });
  // The routes shape their answers by typed functions; a serializer made from the schemas would drop what it
  // does not know of, without a word. A test compares answers with the schemas.
  app.setSerializerCompiler(() => stringifyWithTexts);

  app.addHook('onRoute', (route) => {
    if (route.schema?.body) route.attachValidation = true;
  });
  app.addHook('preValidation', (request, _reply, done) => {
    const faults = [...faultsOfNul('/path', request.params), ...faultsOfNul('/query', request.query)];
    done(faults.length > 0 ? invalidParameter(faults) : undefined);
  });
  app.addHook('preHandler', (request, _reply, done) => {
    const faults = request.routeOptions.config.collectsFaults ? [] : bodyFaultsOf(request);
    done(faults.length > 0 ? validationFailed(faults) : undefined);
  });
});

/**
 * Lists what is wrong with the body, in its text and by its schema; throws when another part is wrong. What is wrong in
 * the text makes the schema complain of the same place, and is told alone.
 */
export function bodyFaultsOf(request: FastifyRequest): Fault[] {
  const error = request.validationError;
  const { bodyFaults = [] } = request;
  if (!error) return bodyFaults;
  if (!(error instanceof Problem) || error.code !== 'validation_failed') throw error;
  if (request.body === undefined)
    return [{ pointer: '', detail: 'The body is empty, and must be an object.' }];
  return mergeFaults(bodyFaults, error.errors ?? []);
}

/** PostgreSQL has no U+0000 in text, and a query such as `?tag=%00` would reach it. */
function faultsOfNul(prefix: string, values: unknown): Fault[] {
  return Object.entries(values ?? {})
    .filter(([, value]) => typeof value === 'string' && value.includes('\u0000'))
    .map(([name]) => ({ pointer: `${prefix}/${name}`, detail: 'The text has the character U+0000.' }));
}
