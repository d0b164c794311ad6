import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { PROBLEMS, type ProblemCode } from '@accepted/shared/errors/problems';
import { newUuid } from '@accepted/shared/job/id';
import type { ConnectionError, FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { Problem, problemBody } from './problem.ts';

/** Answers what Fastify refuses before any route is found, such as a path that cannot be decoded. */
export function answerFrameworkError(
  error: FastifyError,
  publicUrl: string,
  request: Pick<FastifyRequest, 'id'>,
  reply: Pick<FastifyReply, 'code'>,
): void {
  const problem = new Problem('malformed_request', { detail: error.message });
  reply
    .code(problem.status)
    .type('application/problem+json')
    .send(JSON.stringify(problemBody(problem, publicUrl, request.id)));
}

const CODES: Record<string, ProblemCode> = {
  ERR_HTTP_REQUEST_TIMEOUT: 'request_timeout',
  HPE_HEADER_OVERFLOW: 'headers_too_large',
};

/** Answers bytes that are not HTTP, or do not come in time, and closes the connection. */
export function answerBrokenHttp(error: ConnectionError, publicUrl: string, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed) return;
  const code = CODES[error.code] ?? 'malformed_request';
  if (socket.writable) {
    const body = JSON.stringify(problemBody(new Problem(code), publicUrl, newUuid()));
    const { status } = PROBLEMS[code];
    const head = [
      `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
      'content-type: application/problem+json',
      `content-length: ${Buffer.byteLength(body)}`,
      'connection: close',
    ];
    socket.write(`${head.join('\r\n')}\r\n\r\n${body}`);
  }
  // A client that goes on sending must not keep the connection.
  socket.destroySoon();
}
