import type { IncomingMessage, Server } from 'node:http';
import type { Socket } from 'node:net';

/** The parser that Node gives to a connection; no part of its API, so its absence changes nothing but the cost. */
interface Parser {
  onIncoming(request: IncomingMessage, shouldKeepAlive: boolean): number;
}

/** Says of a request that another protocol follows it, of which the parser takes no notice. */
const NOT_HTTP_FROM_HERE = 2;

/**
 * Stops parsing what a connection has sent where it sends too much: all that one read of a socket brings is parsed in one
 * go, and 1,600 requests fit into one, which would hold up everybody for some ten milliseconds.
 */
export function stopParsing(server: Server, isTooMuch: (socket: Socket) => boolean): void {
  server.on('connection', (socket: Socket & { parser?: Parser }) => {
    const { parser } = socket;
    if (!parser) return;
    const onIncoming = parser.onIncoming;
    parser.onIncoming = function (request, shouldKeepAlive) {
      if (!isTooMuch(socket)) return onIncoming.call(this, request, shouldKeepAlive);
      socket.pause();
      return NOT_HTTP_FROM_HERE;
    };
  });
}
