import { type ServerResponse, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { ProblemCode } from '@accepted/shared/contract/problems';
import { newUuid } from '@accepted/shared/core/job/id';
import type { ConnectionError, FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { Problem, problemBody } from './problem.ts';
import { requestIdOf } from './request-id.ts';

/** Answers what Fastify refuses before any route is found, such as a path that cannot be decoded. */
export function answerFrameworkError(
  error: FastifyError,
  publicUrl: string,
  request: Pick<FastifyRequest, 'id'>,
  reply: Pick<FastifyReply, 'code'>,
): void {
  // No hook sees such a request, so what every answer has is set here.
  const problem = new Problem('malformed_request', { detail: error.message });
  reply
    .code(problem.status)
    .headers({ 'x-request-id': request.id, 'cache-control': 'no-store' })
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
  refuseConnection(socket, new Problem(CODES[error.code] ?? 'malformed_request'), publicUrl);
}

/** Answers with a problem on a connection that no request is read from, and closes it. */
export function refuseConnection(connection: Duplex, problem: Problem, publicUrl: string): void {
  if (connection.writable) {
    const { body, headers } = rawProblem(problem, publicUrl, newUuid());
    const lines = Object.entries({ ...headers, connection: 'close' }).map(
      ([name, value]) => `${name}: ${value}`,
    );
    const status = `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status]}`;
    connection.write(`${[status, ...lines].join('\r\n')}\r\n\r\n${body}`);
  }
  // A client that goes on sending must not keep the connection.
  connection.end(() => connection.destroy());
}

/** Answers a request that no route is to see with a problem, and closes its connection unless it is said to be kept. */
export function refuseRequest(
  response: ServerResponse,
  problem: Problem,
  publicUrl: string,
  { keepsConnection = false } = {},
): void {
  const { body, headers } = rawProblem(problem, publicUrl, requestIdOf(response.req));
  if (!keepsConnection) response.shouldKeepAlive = false;
  response.writeHead(problem.status, headers).end(body);
}

function rawProblem(problem: Problem, publicUrl: string, requestId: string) {
  const body = JSON.stringify(problemBody(problem, publicUrl, requestId));
  const headers = {
    ...problem.headers,
    'x-request-id': requestId,
    'content-type': 'application/problem+json',
    'content-length': String(Buffer.byteLength(body)),
    'cache-control': 'no-store',
  };
  return { body, headers };
}
