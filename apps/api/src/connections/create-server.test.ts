import { once } from 'node:events';
import { IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { setImmediate as endOfTurn } from 'node:timers/promises';
import { waitUntil } from '@accepted/testing/wait-until';
import { afterEach, describe, expect, test } from 'vitest';
import { createClients } from './clients.ts';
import { type BoundedServerOptions, createBoundedServer } from './create-server.ts';
import { createDoors } from './doors.ts';
import type { HandleRequest } from './pipeline.ts';
import { createUnreadReplies, type UnreadBounds } from './unread-replies.ts';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

async function listen(handle: HandleRequest, options: Partial<BoundedServerOptions> = {}) {
  const server = createBoundedServer(handle, {
    http: {},
    keepAliveTimeoutMs: 1_000,
    requestTimeoutMs: 10_000,
    maxConnectionsPerAddress: undefined,
    publicUrl: 'https://jobs.test',
    doors: createDoors({
      slice: { ms: 5, count: 32 },
      atOnce: { lateMs: 10, least: 16, first: 64, most: 1_000 },
      mostWaiting: 256,
    }),
    clients: createClients(),
    onLate: () => undefined,
    ...options,
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closers.push(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return (): Socket => {
    const socket = connect(port, '127.0.0.1');
    // A server that cuts a connection off may do so while something is on the way.
    socket.on('error', () => undefined);
    closers.push(() => socket.destroy());
    return socket;
  };
}

const get = (path: string, more = '') => `GET ${path} HTTP/1.1\r\nHost: x\r\n${more}\r\n`;
const paths = (count: number) => Array.from({ length: count }, (_, index) => `/${index}`);

describe('requests that are sent at once on one connection', () => {
  test('are handled one after the other, and answered in order', async () => {
    let [running, most] = [0, 0];
    const open = await listen(async (request, response) => {
      running += 1;
      most = Math.max(most, running);
      await endOfTurn();
      running -= 1;
      response.end(request.url);
    });
    const socket = open();
    const all = paths(20);
    socket.write(all.map((path) => get(path, path === '/19' ? 'Connection: close\r\n' : '')).join(''));
    expect((await text(socket)).match(/\/\d+(?=HTTP|\r|$)/g)).toEqual(all);
    expect(most).toBe(1);
  });

  test('beyond 32 are not handled; the last reply says that the connection ends', async () => {
    const handled: (string | undefined)[] = [];
    const open = await listen(async (request, response) => {
      handled.push(request.url);
      await endOfTurn();
      response.end('ok');
    });
    const socket = open();
    socket.write(
      paths(1_000)
        .map((path) => get(path))
        .join(''),
    );
    const replies = (await text(socket)).split('HTTP/1.1 200 OK').slice(1);
    expect(handled).toEqual(paths(32));
    expect(replies.map((reply) => reply.includes('Connection: close'))).toEqual([
      ...Array(31).fill(false),
      true,
    ]);
  });

  test('beyond 32 are not even parsed', async () => {
    let parsed = 0;
    class Counted extends IncomingMessage {
      constructor(socket: Socket) {
        super(socket);
        parsed += 1;
      }
    }
    const open = await listen((_request, response) => setImmediate(() => response.end('ok')), {
      http: { IncomingMessage: Counted },
    });
    const socket = open();
    socket.write(get('/').repeat(1_000));
    await text(socket);
    expect(parsed).toBe(33);
  });

  test('after one that ends the connection are not handled', async () => {
    const handled: (string | undefined)[] = [];
    const open = await listen((request, response) => {
      handled.push(request.url);
      response.end();
    });
    const socket = open();
    socket.write(get('/last', 'Connection: close\r\n') + get('/more'));
    await text(socket);
    expect(handled).toEqual(['/last']);
  });

  test('are forgotten with their connection', async () => {
    const handled: (string | undefined)[] = [];
    const gone = Promise.withResolvers<void>();
    const open = await listen((request, response) => {
      handled.push(request.url);
      response.once('close', gone.resolve);
      socket.destroy();
    });
    const socket = open();
    socket.write(
      paths(5)
        .map((path) => get(path))
        .join(''),
    );
    await gone.promise;
    await endOfTurn();
    expect(handled).toEqual(['/0']);
  });
});

describe('replies that are not read', () => {
  const LARGE = 'x'.repeat(32 * 2 ** 20);

  /** Writes as much as no kernel takes at once, and keeps account of it. */
  async function unread(bounds: Omit<UnreadBounds, 'minBytesPerSecond'>, minBytesPerSecond = 2 ** 40) {
    const replies = createUnreadReplies({ ...bounds, minBytesPerSecond });
    const written: ServerResponse[] = [];
    const open = await listen((request, response) => {
      response.once('close', replies.add(request.socket, LARGE.length));
      written.push(response);
      response.end(LARGE);
    });
    const ask = () => {
      const socket = open();
      socket.pause();
      socket.write(get('/'));
      return socket;
    };
    return { ask, written };
  }

  test('end their connection when nothing is taken of them any more', async () => {
    const { ask, written } = await unread({ stalledMs: 300, maxBytes: 2 ** 40 });
    ask();
    await waitUntil(() => written[0]?.destroyed === true, { until: 'the connection is cut off' });
  });

  test('end it though the client goes on to send something', async () => {
    const { ask, written } = await unread({ stalledMs: 300, maxBytes: 2 ** 40 });
    const socket = ask();
    const timer = setInterval(() => socket.write('G'), 50);
    closers.push(() => clearInterval(timer));
    await waitUntil(() => written[0]?.destroyed === true, { until: 'the connection is cut off' });
  });

  test('live as long as they are read, however slowly', async () => {
    const { ask } = await unread({ stalledMs: 1_000, maxBytes: 2 ** 40 }, 2 ** 20);
    const socket = ask();
    let received = 0;
    socket.on('data', (chunk) => {
      received += chunk.length;
      socket.pause();
    });
    const timer = setInterval(() => socket.resume(), 4);
    closers.push(() => clearInterval(timer));
    await waitUntil(() => received > LARGE.length, { until: 'all is read', timeoutMs: 30_000 });
  }, 40_000);

  test('cost the slowest their connection when all together are too many', async () => {
    const { ask, written } = await unread({ stalledMs: 60_000, maxBytes: 2.5 * LARGE.length });
    for (let asked = 1; asked <= 4; asked += 1) {
      ask();
      await waitUntil(() => written.length === asked, { until: `reply ${asked} is written` });
    }
    await waitUntil(() => written[1]?.destroyed === true, { until: 'the second is cut off' });
    expect(written.map((response) => response.destroyed)).toEqual([true, true, false, false]);
  });
});

test('a client address has so many connections and no more, and the next when one is closed', async () => {
  const open = await listen((_request, response) => response.end('ok'), { maxConnectionsPerAddress: 2 });
  const [first, second] = [open(), open()];
  await Promise.all([once(first, 'connect'), once(second, 'connect')]);
  const reply = await text(open());
  expect(reply).toMatch(/^HTTP\/1.1 429 /);
  expect(reply).toContain('"code":"too_many_connections"');
  first.destroy();
  const isServed = async () => {
    const socket = open();
    socket.write(get('/', 'Connection: close\r\n'));
    return (await text(socket)).startsWith('HTTP/1.1 200 ');
  };
  await waitUntil(isServed, { until: 'another connection is served' });
});

test.each([
  ['no host', 'GET / HTTP/1.1\r\n\r\n', 400, 'malformed_request'],
  ['two hosts', 'GET / HTTP/1.1\r\nHost: a\r\nhost: b\r\n\r\n', 400, 'malformed_request'],
  ['a tunnel', 'CONNECT example.com:443 HTTP/1.1\r\nHost: example.com\r\n\r\n', 405, 'method_not_allowed'],
  ['what nobody can expect', get('/', 'Expect: a-miracle\r\n'), 417, 'expectation_failed'],
])(
  'a request for %s is refused with a problem, and its connection closed',
  async (_name, bytes, status, code) => {
    const open = await listen((_request, response) => response.end('ok'));
    const socket = open();
    socket.write(bytes);
    const reply = await text(socket);
    expect(reply).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(reply).toContain('content-type: application/problem+json');
    expect(reply).toContain(`"code":"${code}"`);
  },
);

test('HTTP/1.0 needs no host', async () => {
  const open = await listen((_request, response) => response.end('ok'));
  const socket = open();
  socket.write('GET / HTTP/1.0\r\n\r\n');
  expect(await text(socket)).toMatch(/^HTTP\/1.1 200 /);
});
