import { MIMEType } from 'node:util';
import { holdsInexactNumbers, parseExactly } from '@accepted/shared/json/exact-numbers';
import type { FastifyRequest } from 'fastify';
import fp from 'fastify-plugin';
import { type Fault, Problem, validationFailed } from '../http/problem.ts';
import { parseJson } from '../json/parse-json.ts';
import { findTooDeep, mayHoldFaults, scanJson } from '../json/scan-json.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** What the text of the body holds that must not come in; thrown together with the faults of the schema. */
    bodyFaults: Fault[];
  }
}

/** Takes `application/json` bodies alone, and looks at what is in them before any other code does. */
export const safeJson = fp(async (app) => {
  app.decorateRequest('bodyFaults');
  app.addHook('onRequest', (request, _reply, done) => {
    request.bodyFaults = [];
    done();
  });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(
    'application/json',
    { parseAs: 'buffer' },
    async (request: FastifyRequest, body: Buffer) => {
      const encoding = request.headers['content-encoding'] ?? 'identity';
      if (encoding !== 'identity' || !isUtf8(request.headers['content-type']))
        throw new Problem('unsupported_media_type');
      const { value, text } = parseJson(body);
      const tooDeep = findTooDeep(value);
      if (tooDeep) throw validationFailed([tooDeep]);
      const hasDigits = holdsInexactNumbers(text);
      const exact = hasDigits ? parseExactly(text) : value;
      if (hasDigits || mayHoldFaults(text)) request.bodyFaults = scanJson(exact);
      return exact;
    },
  );
});

/** RFC 8259, section 8.1, knows no other encoding; ASCII is a part of it. */
function isUtf8(contentType = ''): boolean {
  const charset = new MIMEType(contentType).params.get('charset')?.toLowerCase();
  return charset === undefined || ['utf-8', 'utf8', 'us-ascii'].includes(charset);
}
