import type { Attack } from '../attack.ts';
import { keepConnections } from '../sockets.ts';

const CONNECTIONS = 300;
const EVERY_MS = 500;

/** Sends requests that never end, a byte now and then. */
export const slowSenders: Attack = {
  name: 'slow-senders',
  does: `${CONNECTIONS} connections send a request a byte at a time, twice a second.`,
  begin: async ({ port }) => {
    let sending = 0;
    const connections = keepConnections(port, CONNECTIONS, (socket) => {
      socket.resume();
      socket.write('POST /v1/jobs HTTP/1.1\r\nHost: x\r\nX-Slow: ', (error) => {
        if (!error) sending += 1;
      });
      const timer = setInterval(() => socket.writable && socket.write('x'), EVERY_MS);
      socket.once('close', () => clearInterval(timer));
    });
    return {
      done: () => sending,
      got: () =>
        `${connections.established()} connections, of which ${connections.endedByServer()} were cut off`,
      stop: async () => connections.stop(),
    };
  },
};
