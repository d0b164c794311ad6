import { MIMEType } from 'node:util';
import { parseExactly } from '@accepted/shared/core/json/exact-numbers';
import { JsonText } from '@accepted/shared/core/json/json-text';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import fp from 'fastify-plugin';
import { LARGE_BYTES } from '../checks/check-threads.ts';
import { type Fault, Problem, validationFailed } from '../http/problem.ts';
import { readBody } from '../json/read-body.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** What the text of the body holds that must not come in; thrown together with the faults of the schema. */
    bodyFaults: Fault[] | undefined;
  }
}

/** Takes `application/json` bodies alone, and looks at what is in them before any other code does. */
export const safeJson = fp(async (app) => {
  app.decorateRequest('bodyFaults');
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(
    'application/json',
    { parseAs: 'buffer' },
    (request: FastifyRequest, body: Buffer, done) => {
      const encoding = request.headers['content-encoding'] ?? 'identity';
      if (encoding !== 'identity' || !isUtf8(request.headers['content-type']))
        throw new Problem('unsupported_media_type');
      if (body.length >= LARGE_BYTES) return readLarge(app, request, body);
      const { value, faults } = readBody(body);
      request.bodyFaults = faults;
      // No promise: hardly any body has to be waited for.
      done(null, value);
    },
  );
});

/** What nearly all requests come with, and need not have read each time. */
const PLAIN_JSON = 'application/json';

/** RFC 8259, section 8.1, knows no other encoding; ASCII is a part of it. */
function isUtf8(contentType = ''): boolean {
  if (contentType === PLAIN_JSON) return true;
  const charset = new MIMEType(contentType).params.get('charset')?.toLowerCase();
  return charset === undefined || ['utf-8', 'utf8', 'us-ascii'].includes(charset);
}

/** Reads a large body in a thread, and checks it there by the schema of its route. Its payload stays a text. */
async function readLarge(app: FastifyInstance, request: FastifyRequest, bytes: Buffer): Promise<unknown> {
  const schema = request.routeOptions.schema?.body;
  if (schema === undefined) throw new Problem('body_too_large');
  const read = await app.checkThreads.readBody(request.caller.tenantId, {
    bytes,
    schemaJson: JSON.stringify(schema),
    needsCanonical: request.headers['idempotency-key'] !== undefined,
  });
  if ('code' in read)
    throw read.code === 'validation_failed'
      ? validationFailed(read.faults)
      : new Problem(read.code, { errors: read.faults });
  const value = parseExactly(read.restJson);
  const { payload } = read;
  if (payload) Object.assign(value as object, { payload: new JsonText(payload.json, payload.canonical) });
  return value;
}
