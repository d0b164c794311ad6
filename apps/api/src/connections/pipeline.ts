import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

export type HandleRequest = (request: IncomingMessage, response: ServerResponse) => void;

/** How many requests of a connection may be here before the first of them is answered. */
const MAX_PIPELINED = 32;

interface Pending {
  request: IncomingMessage;
  response: ServerResponse;
}

/** The requests of each connection. */
export interface Pipelines {
  handle: HandleRequest;
  /** Whether there is no room for another one. The last reply says then that the connection ends. */
  isFull(socket: Socket): boolean;
}

/**
 * Handles the requests of a connection one after the other, each when the reply to the one before has left for the network
 * (RFC 9112, section 9.3.2, allows to handle them at once; then each holds its reply in memory until its turn). Of a client
 * that sends more at once than `MAX_PIPELINED`, the rest is not handled: the last reply says `Connection: close`, by which
 * the client knows (section 9.6).
 */
export function onePerConnection(handle: HandleRequest): Pipelines {
  const pipelines = new WeakMap<Socket, Pending[]>();

  function handleFirst(socket: Socket, pipeline: Pending[]): void {
    const [first] = pipeline;
    if (!first || socket.destroyed) return;
    first.response.once('close', () => {
      pipeline.shift();
      handleFirst(socket, pipeline);
    });
    socket.setTimeout(0);
    handle(first.request, first.response);
  }

  function add(request: IncomingMessage, response: ServerResponse): void {
    const { socket } = request;
    const pipeline = pipelines.get(socket) ?? [];
    pipelines.set(socket, pipeline);
    const last = pipeline.at(-1);
    if (isFull(socket) || (last && !last.response.shouldKeepAlive)) return;
    pipeline.push({ request, response });
    if (pipeline.length === 1) handleFirst(socket, pipeline);
  }

  function isFull(socket: Socket): boolean {
    const pipeline = pipelines.get(socket) ?? [];
    const last = pipeline.at(-1);
    if (!last || pipeline.length < MAX_PIPELINED) return false;
    last.response.shouldKeepAlive = false;
    return true;
  }

  return { handle: add, isFull };
}
