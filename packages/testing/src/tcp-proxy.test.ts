import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { expect, test } from 'vitest';
import { startTcpProxy } from './tcp-proxy.ts';
import { waitUntil } from './wait-until.ts';

/** A server that answers what it is sent, and remembers it. */
async function startEcho() {
  const sockets: Socket[] = [];
  const received: string[] = [];
  const server: Server = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => undefined);
    socket.on('data', (data) => {
      received.push(data.toString());
      socket.write(data);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    sockets,
    received,
    async [Symbol.asyncDispose]() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

/** A client that collects what comes, and how its connection ended. */
async function open(port: number) {
  const socket = connect(port, '127.0.0.1');
  const client = { socket, text: '', error: '', closed: false };
  socket.on('data', (data) => {
    client.text += data.toString();
  });
  socket.on('error', (error: NodeJS.ErrnoException) => {
    client.error = error.code ?? '';
  });
  socket.on('close', () => {
    client.closed = true;
  });
  await once(socket, 'connect');
  return client;
}

/** Goes to the server and back many times past the proxy: long enough for anything that passes to have passed. */
async function letTimePass(port: number): Promise<void> {
  const direct = await open(port);
  for (let turn = 0; turn < 50; turn++) {
    direct.socket.write('.');
    await once(direct.socket, 'data');
  }
  direct.socket.destroy();
}

const received = (client: { text: string }, text: string) =>
  waitUntil(() => client.text === text, { until: `the client has got ${text.slice(0, 20)}` });

test('passes bytes and ends on, in both directions', async () => {
  await using echo = await startEcho();
  await using proxy = await startTcpProxy({ target: { host: '127.0.0.1', port: echo.port } });
  const client = await open(proxy.port);
  const text = 'x'.repeat(5_000_000);

  client.socket.write(text);
  await received(client, text);
  client.socket.end();

  await waitUntil(() => client.closed && echo.sockets[0]?.closed, { until: 'both sides have ended' });
  expect(client.error).toBe('');
});

test('latency delays each direction and keeps the order', async () => {
  await using echo = await startEcho();
  await using proxy = await startTcpProxy({ target: { host: '127.0.0.1', port: echo.port } });
  const client = await open(proxy.port);
  client.socket.write('a');
  await received(client, 'a');

  proxy.setLatencyMs(150);
  const started = performance.now();
  client.socket.write('b');
  await received(client, 'ab');
  expect(performance.now() - started).toBeGreaterThanOrEqual(295);

  client.socket.write('c');
  await letTimePass(echo.port);
  proxy.setLatencyMs(0);
  client.socket.write('d');
  await waitUntil(() => client.text.length === 4, { until: 'everything is back' });
  expect(client.text).toBe('abcd');
});

test('a blackhole keeps connections open, accepts new ones, and lets nothing pass until it is healed', async () => {
  await using echo = await startEcho();
  await using proxy = await startTcpProxy({ target: { host: '127.0.0.1', port: echo.port } });
  const before = await open(proxy.port);
  before.socket.write('a');
  await received(before, 'a');

  proxy.blackhole();
  before.socket.write('b');
  echo.sockets[0]?.write('!');
  const during = await open(proxy.port);
  during.socket.write('c');
  await letTimePass(echo.port);
  expect(echo.received.filter((text) => text !== '.')).toEqual(['a']);
  // Its own connection, and the one past the proxy.
  expect(echo.sockets).toHaveLength(2);
  expect(before).toMatchObject({ text: 'a', error: '', closed: false });
  expect(during).toMatchObject({ text: '', error: '', closed: false });

  proxy.heal();
  await received(before, 'a!b');
  await received(during, 'c');
});

test('a blackhole hides that the server has died', async () => {
  await using echo = await startEcho();
  await using proxy = await startTcpProxy({ target: { host: '127.0.0.1', port: echo.port } });
  const client = await open(proxy.port);
  client.socket.write('a');
  await received(client, 'a');

  proxy.blackhole();
  echo.sockets[0]?.resetAndDestroy();
  await letTimePass(echo.port);
  expect(client).toMatchObject({ error: '', closed: false });

  proxy.heal();
  await waitUntil(() => client.closed, { until: 'the client knows' });
  expect(client.error).toBe('ECONNRESET');
});

test('half-open, requests arrive and answers do not', async () => {
  await using echo = await startEcho();
  await using proxy = await startTcpProxy({ target: { host: '127.0.0.1', port: echo.port } });
  const client = await open(proxy.port);

  proxy.halfOpen();
  client.socket.write('a');
  await waitUntil(() => echo.received.includes('a'), { until: 'the server has got it' });
  await letTimePass(echo.port);
  expect(client.text).toBe('');

  proxy.heal();
  await received(client, 'a');
});

test('a reset breaks every connection on both sides, and new ones work', async () => {
  await using echo = await startEcho();
  await using proxy = await startTcpProxy({ target: { host: '127.0.0.1', port: echo.port } });
  const clients = [await open(proxy.port), await open(proxy.port)];
  for (const client of clients) {
    client.socket.write('a');
    await received(client, 'a');
  }

  expect(proxy.resetAll()).toBe(2);

  await waitUntil(() => clients.every((client) => client.closed), { until: 'the clients know' });
  expect(clients.map((client) => client.error)).toEqual(['ECONNRESET', 'ECONNRESET']);
  await waitUntil(() => echo.sockets.every((socket) => socket.closed), { until: 'the server knows' });
  const after = await open(proxy.port);
  after.socket.write('b');
  await received(after, 'b');
});

test('a client of a server that is away is reset', async () => {
  const echo = await startEcho();
  await echo[Symbol.asyncDispose]();
  await using proxy = await startTcpProxy({ target: { host: '127.0.0.1', port: echo.port } });

  const client = await open(proxy.port);

  await waitUntil(() => client.closed, { until: 'the client knows' });
  expect(client.error).toBe('ECONNRESET');
});
