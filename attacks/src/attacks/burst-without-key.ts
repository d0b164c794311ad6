import type { Attack } from '../attack.ts';
import { keepConnections } from '../sockets.ts';

const REQUESTS = 1_600;

/** The same, read as fast as it comes, on one connection after the other. */
export const burstWithoutKey: Attack = {
  name: 'burst-without-key',
  does: `One connection sends ${REQUESTS} requests for \`/openapi.json\` at once, reads the replies, and begins anew.`,
  begin: async ({ port }) => {
    const burst = 'GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(REQUESTS);
    let bytes = 0;
    const connections = keepConnections(port, 1, (socket) => {
      let isAnswer: boolean | undefined;
      socket.on('data', (chunk) => {
        isAnswer ??= chunk.toString('latin1').startsWith('HTTP/1.1 200');
        if (isAnswer) bytes += chunk.length;
      });
      socket.write(burst);
    });
    return {
      done: () => bytes,
      got: () => `${Math.round(bytes / 2 ** 20)} MiB on ${connections.established()} connections`,
      stop: async () => connections.stop(),
    };
  },
};
