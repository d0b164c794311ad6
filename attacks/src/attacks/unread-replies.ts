import type { Attack } from '../attack.ts';
import { keepConnections } from '../sockets.ts';

const CONNECTIONS = 8;
const REQUESTS = 1_600;

/** Asks for the largest thing that needs no key, many times at once, and reads none of it. */
export const unreadReplies: Attack = {
  name: 'unread-replies',
  does: `${CONNECTIONS} connections each send ${REQUESTS} requests for \`/openapi.json\` at once and read nothing.`,
  begin: async ({ port }) => {
    const burst = 'GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(REQUESTS);
    const connections = keepConnections(port, CONNECTIONS, (socket) => {
      socket.pause();
      socket.write(burst);
    });
    return {
      done: connections.opened,
      got: () => `${connections.opened()} connections, each cut off`,
      stop: async () => connections.stop(),
    };
  },
};
