import { createServer, type IncomingMessage, type Server, type ServerOptions } from 'node:http';
import { refuseConnection, refuseRequest } from '../http/broken-requests.ts';
import { originForm } from '../http/origin-form.ts';
import { Problem } from '../http/problem.ts';
import type { Clients } from './clients.ts';
import { limitConnectionsPerAddress } from './connections-per-address.ts';
import type { Doors } from './doors.ts';
import { type HandleRequest, onePerConnection } from './pipeline.ts';
import { createLateRequests } from './refuse-late.ts';
import { stopParsing } from './stop-parsing.ts';

export interface BoundedServerOptions {
  http: ServerOptions;
  keepAliveTimeoutMs: number;
  requestTimeoutMs: number;
  /** No bound when left out. */
  maxConnectionsPerAddress: number | undefined;
  publicUrl: string;
  doors: Doors;
  clients: Clients;
  /** Is told of requests that were refused because they would have waited for too long. */
  onLate: (problem: Problem) => void;
}

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

/** What watches this process asks it for these, and takes it for dead where it is not answered. */
const HEALTH = new Set(['/livez', '/readyz']);

/** Lets requests begin client by client. */
function handleInTurn(
  handle: HandleRequest,
  {
    doors,
    clients,
    publicUrl,
    onLate,
  }: Pick<BoundedServerOptions, 'doors' | 'clients' | 'publicUrl' | 'onLate'>,
): HandleRequest {
  const late = createLateRequests(publicUrl, onLate);
  return (request, response) => {
    if (isHealth(request)) return handle(request, response);
    const begin = () => {
      late.noteServed();
      handle(request, response);
    };
    doors.of(request).enter(clients.of(request), {
      request,
      response,
      begin,
      refuse: () => late.refuse(request, response),
    });
  };
}

function isHealth({ url = '' }: IncomingMessage): boolean {
  const [path = ''] = originForm(url).split('?');
  return HEALTH.has(path);
}

/** RFC 9112, section 3.2: a request of HTTP/1.1 has one field `Host`, or is answered with 400. */
function problemOfHost({ httpVersion, rawHeaders }: IncomingMessage): Problem | undefined {
  let hosts = 0;
  for (let at = 0; at < rawHeaders.length; at += 2) if (isHost(rawHeaders[at] as string)) hosts += 1;
  if (hosts === 1 || (hosts === 0 && httpVersion === '1.0')) return undefined;
  const detail = `The request has ${hosts === 0 ? 'no field' : `${hosts} fields`} \`Host\`, and must have one.`;
  return new Problem('malformed_request', { detail });
}

const isHost = (name: string) => name.length === 4 && name.toLowerCase() === 'host';

function noTunnel(): Problem {
  return new Problem('method_not_allowed', {
    detail: 'This server is no proxy.',
    headers: { allow: '' },
  });
}
