import { createServer, type IncomingMessage, type Server, type ServerOptions } from 'node:http';
import { refuseConnection, refuseRequest } from '../http/broken-requests.ts';
import { Problem } from '../http/problem.ts';
import type { Clients } from './clients.ts';
import { limitConnectionsPerAddress } from './connections-per-address.ts';
import { createKeylessPace } from './keyless-pace.ts';
import { type HandleRequest, onePerConnection } from './pipeline.ts';
import { stopParsing } from './stop-parsing.ts';
import type { Turns } from './turns.ts';

export interface BoundedServerOptions {
  http: ServerOptions;
  keepAliveTimeoutMs: number;
  requestTimeoutMs: number;
  /** No bound when left out. */
  maxConnectionsPerAddress: number | undefined;
  publicUrl: string;
  turns: Turns;
  clients: Clients;
}

/** What a page with all its documents takes, and what a line of a small office carries. */
const KEYLESS_PACE = { bytesPerSecond: 8 * 2 ** 20, burstBytes: 16 * 2 ** 20 };

/**
 * Makes the HTTP server: what one connection, or one client address, can have of it at once is bounded, and what Node
 * would refuse without a body is refused with a problem.
 */
export function createBoundedServer(handle: HandleRequest, options: BoundedServerOptions): Server {
  const { publicUrl, maxConnectionsPerAddress } = options;
  const inTurn = handleInTurn((request, response) => {
    const problem = problemOfHost(request);
    if (problem) refuseRequest(response, problem, publicUrl);
    else handle(request, response);
  }, options);
  const pipelines = onePerConnection(inTurn);
  const server = createServer({ ...options.http, requireHostHeader: false }, pipelines.handle);
  stopParsing(server, pipelines.isFull);
  server.keepAliveTimeout = options.keepAliveTimeoutMs;
  server.requestTimeout = options.requestTimeoutMs;
  server.on('checkExpectation', (_request, response) =>
    refuseRequest(response, new Problem('expectation_failed'), publicUrl),
  );
  server.on('connect', (_request, socket) => refuseConnection(socket, noTunnel(), publicUrl));
  if (maxConnectionsPerAddress !== undefined) {
    limitConnectionsPerAddress(server, maxConnectionsPerAddress, (socket) =>
      refuseConnection(socket, new Problem('too_many_connections'), publicUrl),
    );
  }
  return server;
}

/** Lets requests begin client by client, and those without a key no faster than their pace allows. */
function handleInTurn(
  handle: HandleRequest,
  { turns, clients }: Pick<BoundedServerOptions, 'turns' | 'clients'>,
): HandleRequest {
  const pace = createKeylessPace(KEYLESS_PACE);
  return (request, response) => {
    const { socket, headers } = request;
    const begin = () => {
      // Nobody is left to be answered.
      if (!socket.destroyed) handle(request, response);
    };
    const take = () => turns.take(clients.of(request), begin);
    if (headers.authorization !== undefined) return take();
    const address = socket.remoteAddress ?? '';
    const before = socket.bytesWritten;
    response.once('close', () => pace.sent(address, socket.bytesWritten - before));
    const takeInTime = () => {
      // Others of the address may have been sent something meanwhile.
      const delayMs = pace.delayMs(address);
      if (delayMs > 0) setTimeout(takeInTime, delayMs);
      else take();
    };
    takeInTime();
  };
}

/** RFC 9112, section 3.2: a request of HTTP/1.1 has one field `Host`, or is answered with 400. */
function problemOfHost({ httpVersion, rawHeaders }: IncomingMessage): Problem | undefined {
  const hosts = rawHeaders.filter((text, index) => index % 2 === 0 && text.toLowerCase() === 'host').length;
  if (hosts === 1 || (hosts === 0 && httpVersion === '1.0')) return undefined;
  const detail = `The request has ${hosts === 0 ? 'no field' : `${hosts} fields`} \`Host\`, and must have one.`;
  return new Problem('malformed_request', { detail });
}

function noTunnel(): Problem {
  return new Problem('method_not_allowed', {
    detail: 'This server is no proxy.',
    headers: { allow: '' },
  });
}
