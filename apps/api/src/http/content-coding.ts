import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { weakTag } from './conditional.ts';

const compressInPool = promisify(gzip);

/** Compresses in the thread pool, so that nobody waits for it but who asked. */
export function gzipped(body: string | Buffer, level: number): Promise<Buffer> {
  return compressInPool(body, { level });
}

/** Tells whether the client prefers an answer in gzip to a plain one (RFC 9110, section 12.5.3). */
export function prefersGzip(request: FastifyRequest): boolean {
  return request.accepts().encoding(['gzip', 'identity']) === 'gzip';
}

/** Tells whether neither of the two forbids to change the form of the answer (RFC 9111, sections 5.2.1.6 and 5.2.2.6). */
export function mayTransform(request: FastifyRequest, reply: FastifyReply): boolean {
  const directives = `${request.headers['cache-control'] ?? ''},${reply.getHeader('cache-control') ?? ''}`;
  return !/(^|,)\s*no-transform\s*(,|$)/i.test(directives);
}

/** Says in `Vary` that the form of the answer depends on a header of the request, beside what it depends on already. */
export function varyBy(reply: FastifyReply, name: 'accept' | 'accept-encoding'): void {
  const others = reply.getHeader('vary');
  reply.header('vary', others === undefined ? name : `${others}, ${name}`);
}

/** Says that the body is in gzip. It is another representation of the same state, so a strong tag becomes a weak one. */
export function markGzipped(reply: FastifyReply): void {
  reply.header('content-encoding', 'gzip');
  const etag = reply.getHeader('etag');
  if (typeof etag === 'string') reply.header('etag', weakTag(etag));
}
