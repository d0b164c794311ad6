import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server } from 'node:net';
import { findFreePort } from '@accepted/embedded-postgres/free-port';
import { waitUntil } from '@accepted/testing/wait-until';
import { expect, onTestFinished, test } from 'vitest';
import { keepConnections, probeForEnd } from './sockets.ts';

async function listen(server: Server, port = 0): Promise<number> {
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

test('a connection that is refused is none, and counts for nothing', async () => {
  const port = await findFreePort();
  const connections = keepConnections(port, 3, () => undefined);
  onTestFinished(connections.stop);
  await once(connect(port, '127.0.0.1'), 'error');
  expect(connections.established()).toBe(0);

  await listen(createServer(), port);
  await waitUntil(() => connections.established() >= 3, { until: 'three connections are made' });
  expect([connections.established(), connections.endedByServer()]).toEqual([3, 0]);
});

test('a connection that is cut off is counted, although nothing of it is read', async () => {
  const server = createServer((socket) => {
    socket
      .on('error', () => undefined)
      .once('data', () => {
        socket.write(Buffer.alloc(2 ** 22));
        socket.destroy();
      });
  });
  const connections = keepConnections(await listen(server), 2, (socket) => {
    socket.pause();
    socket.write('GET / HTTP/1.1\r\n');
    probeForEnd(socket, 50);
  });
  onTestFinished(connections.stop);
  await waitUntil(() => connections.endedByServer() >= 2, { until: 'the client hears of the end' });
});

test('what the attacker ends himself is not the doing of the server', async () => {
  const closed: Promise<unknown>[] = [];
  const connections = keepConnections(await listen(createServer()), 2, (socket) => {
    closed.push(once(socket, 'close'));
  });
  await waitUntil(() => closed.length === 2, { until: 'both are made' });
  connections.stop();
  await Promise.all(closed);
  expect(connections.endedByServer()).toBe(0);
});
