import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What the server under test calls: it answers at once, with the status that the path names, 200 otherwise. */
export async function startReceiver(): Promise<{ url: string; close(): Promise<void> }> {
  const server = createServer((request, response) => {
    request.resume();
    const status = /^\/([45]\d\d)\b/.exec(request.url ?? '')?.[1];
    response
      .writeHead(Number(status ?? 200), { 'content-type': 'application/json' })
      .end('{"received":true}');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
