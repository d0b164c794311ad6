import accepts from '@fastify/accepts';
import type { FastifyReply, FastifyRequest } from 'fastify';
import fp from 'fastify-plugin';
import { createCompressor } from '../http/compressor.ts';
import { tagAsKnown } from '../http/conditional.ts';
import { markGzipped, mayTransform, prefersGzip, varyBy } from '../http/content-coding.ts';

/** What is smaller hardly travels faster. */
const MIN_BYTES = 4_096;

/**
 * Compresses what is read with an API key, where it is large. Nothing else: answers to writes may hold a secret, and what
 * anybody may read would be work for anybody to ask for. A body that is streamed goes as it is.
 */
export const compression = fp(async (app) => {
  await app.register(accepts);
  const compressor = createCompressor();
  app.addHook('onSend', (request, reply, payload, done) => {
    if (reply.statusCode === 304) tellKnownTag(request, reply);
    if (!isRead(request) || ![200, 304].includes(reply.statusCode)) return done();
    varyBy(reply, 'accept-encoding');
    const isWanted = request.method === 'GET' && isLarge(payload);
    if (!isWanted || !mayTransform(request, reply) || !prefersGzip(request)) return done();
    const compressed = compressor.compress(payload);
    if (!compressed) return done();
    compressed.then((body) => {
      markGzipped(reply);
      done(null, body);
    }, done);
  });
});

function isRead({ method, routeOptions }: FastifyRequest): boolean {
  return (method === 'GET' || method === 'HEAD') && routeOptions.config.scope !== undefined;
}

function isLarge(payload: unknown): payload is string | Buffer {
  const isWhole = typeof payload === 'string' || Buffer.isBuffer(payload);
  return isWhole && Buffer.byteLength(payload) >= MIN_BYTES;
}

function tellKnownTag(request: FastifyRequest, reply: FastifyReply): void {
  const etag = reply.getHeader('etag');
  if (typeof etag === 'string') reply.header('etag', tagAsKnown(request.headers['if-none-match'], etag));
}
