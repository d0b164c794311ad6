import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { waitUntil } from '@accepted/testing/wait-until';
import { afterEach, expect, test } from 'vitest';
import { createDoor, type Door } from './door.ts';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

/** A server with two places, whose requests are answered when the test says so. */
async function listen() {
  const door = createDoor({
    atOnce: { lateMs: 1_000, least: 2, first: 2, most: 2 },
    slice: { ms: 1_000, count: 1_000 },
    mostWaiting: 4,
  });
  const begun: { path: string; response: ServerResponse }[] = [];
  const refused: string[] = [];
  const server = createServer((request, response) => {
    const path = request.url ?? '';
    const [client = ''] = path.slice(1).split('/');
    door.enter(client, {
      request,
      response,
      begin() {
        request.resume();
        begun.push({ path, response });
      },
      refuse() {
        refused.push(path);
        response.writeHead(503).end();
      },
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  closers.push(() => {
    door.close();
    server.closeAllConnections();
    server.close();
  });
  async function send(text: string): Promise<Socket> {
    const socket = connect(port, '127.0.0.1');
    closers.push(() => socket.destroy());
    await once(socket, 'connect');
    socket.resume();
    socket.write(text);
    return socket;
  }
  const get = (path: string) => send(`GET ${path} HTTP/1.1\r\nhost: a\r\n\r\n`);
  const paths = () => begun.map(({ path }) => path);
  return { door, begun, refused, send, get, paths, isInside: (count: number) => insideOf(door, count) };
}

const insideOf = (door: Door, count: number) =>
  waitUntil(() => door.sizes().inside === count, { until: `${count} are inside` });

test('no more begin than there are places, and the next one when one is answered', async () => {
  const { begun, get, paths, isInside } = await listen();
  for (const name of ['/a/1', '/a/2', '/a/3']) await get(name);
  await isInside(2);
  expect(paths()).toEqual(['/a/1', '/a/2']);
  begun[0]?.response.end();
  await waitUntil(() => begun.length === 3, { until: 'the next one has begun' });
});

test('whoever sends slowly keeps nobody out, and counts again when all has come', async () => {
  const { send, get, begun, isInside } = await listen();
  const slow = await Promise.all(
    ['/a/1', '/a/2', '/a/3'].map((path) =>
      send(`POST ${path} HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\n\r\n1`),
    ),
  );
  await waitUntil(() => begun.length === 3, { until: 'all have begun' });
  await isInside(0);
  await get('/b/1');
  await isInside(1);
  slow[0]?.write('2');
  await isInside(2);
});

test('whoever waits for something else gives the place back, and so does whoever is gone', async () => {
  const { door, begun, get, isInside } = await listen();
  const gone = await get('/a/1');
  await get('/a/2');
  await isInside(2);
  gone.destroy();
  await isInside(1);
  const waiting = begun.find(({ path }) => path === '/a/2');
  if (waiting) door.leave(waiting.response);
  await isInside(0);
});

test('of more than may wait the newest of the largest client is refused at once, and no other', async () => {
  const { refused, get, isInside } = await listen();
  for (const name of ['/hog/1', '/hog/2']) await get(name);
  await isInside(2);
  for (let n = 3; n <= 6; n += 1) await get(`/hog/${n}`);
  await get('/small/1');
  await waitUntil(() => refused.length === 1, { until: 'one is refused' });
  expect(refused).toEqual(['/hog/6']);
});

test('who would wait for long while nobody is answered is told so within moments', async () => {
  const { refused, get, isInside } = await listen();
  for (const name of ['/a/1', '/a/2']) await get(name);
  await isInside(2);
  for (let n = 3; n <= 7; n += 1) await get(`/a/${n}`);
  await waitUntil(() => refused.length === 5, { until: 'all that wait are refused', timeoutMs: 500 });
});
