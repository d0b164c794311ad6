import type { Attack } from '../attack.ts';
import { keepConnections, probeForEnd } from '../sockets.ts';

const CONNECTIONS = 8;
const REQUESTS = 1_600;
/** Longer than the 10 s that the server waits for somebody who takes no byte; it hears from a probe that he lives. */
const PROBE_MS = 16_000;

/** Asks for the largest thing that needs no key, many times at once, and reads none of it. */
export const unreadReplies: Attack = {
  name: 'unread-replies',
  does: `${CONNECTIONS} connections each send ${REQUESTS} requests for \`/openapi.json\` at once and read nothing.`,
  begin: async ({ port }) => {
    const burst = 'GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(REQUESTS);
    const connections = keepConnections(port, CONNECTIONS, (socket) => {
      socket.pause();
      socket.write(burst);
      probeForEnd(socket, PROBE_MS);
    });
    return {
      done: connections.endedByServer,
      got: () =>
        `${connections.established()} connections, of which ${connections.endedByServer()} were cut off`,
      stop: async () => connections.stop(),
    };
  },
};
