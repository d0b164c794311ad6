import { once } from 'node:events';
import { Agent, IncomingMessage, request, ServerResponse } from 'node:http';
import { type AddressInfo, Socket } from 'node:net';
import { json } from 'node:stream/consumers';
import { setImmediate as endOfTurn } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import type { Problem } from '../http/problem.ts';
import { createClients } from './clients.ts';
import { createBoundedServer } from './create-server.ts';
import { createDoor } from './door.ts';
import { createDoors } from './doors.ts';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

const WORK_MS = 4;
const CROWD = 300;

/** A server that has work for so many milliseconds with each request. */
async function listen() {
  const refused: Problem[] = [];
  const work = () => {
    const until = performance.now() + WORK_MS;
    while (performance.now() < until);
  };
  const server = createBoundedServer(
    (_request, response) => {
      work();
      response.end('{}');
    },
    {
      http: {},
      keepAliveTimeoutMs: 60_000,
      requestTimeoutMs: 10_000,
      maxConnectionsPerAddress: undefined,
      publicUrl: 'https://jobs.test',
      doors: createDoors({
        slice: { ms: 5, count: 32 },
        atOnce: { lateMs: 10, least: 16, first: 64, most: 1_000 },
        mostWaiting: 256,
      }),
      clients: createClients(),
      onLate: (problem) => refused.push(problem),
    },
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const agent = new Agent({ keepAlive: true });
  closers.push(() => {
    agent.destroy();
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  async function send(path: string, body?: string) {
    const sent = request({ agent, port, path, method: body === undefined ? 'GET' : 'POST' });
    sent.end(body);
    const [reply] = (await once(sent, 'response')) as [IncomingMessage];
    return { status: reply.statusCode, headers: reply.headers, body: await json(reply) };
  }
  // New connections are taken one by one, between what there is to do: who waits for that is not seen.
  await crowd(CROWD + 10, () => send('/livez'));
  return { send, refused };
}

const crowd = <Reply>(count: number, send: () => Promise<Reply>) =>
  Promise.all(Array.from({ length: count }, send));

test('of a crowd that is too large who waited for too long is told so, and when to come back', async () => {
  const { send, refused } = await listen();
  const replies = await crowd(CROWD, () => send('/v1/jobs', '{}'));
  const late = replies.filter(({ status }) => status === 503);
  expect(replies.length - late.length).toBeGreaterThan(10);
  expect(late.length).toBeGreaterThan(50);
  expect(refused).toHaveLength(late.length);
  for (const { headers, body } of late) {
    expect(body).toMatchObject({ code: 'overloaded' });
    expect(headers).toMatchObject({ 'content-type': 'application/problem+json', connection: 'keep-alive' });
  }
  expect(Math.max(...late.map(({ headers }) => Number(headers['retry-after'])))).toBeLessThanOrEqual(3);
});

test('a small crowd is served, and so is whoever watches, however large the crowd', async () => {
  const { send } = await listen();
  const small = await crowd(10, () => send('/v1/jobs', '{}'));
  expect(small.map(({ status }) => status)).toEqual(Array(10).fill(200));
  const [watched] = await Promise.all([
    crowd(5, () => send('/livez')),
    crowd(CROWD, () => send('/v1/jobs', '{}')),
  ]);
  expect(watched.map(({ status }) => status)).toEqual(Array(5).fill(200));
});

test('a connection goes on after it, unless a large body was to come', async () => {
  const { send } = await listen();
  const [replies, large] = await Promise.all([
    crowd(CROWD, () => send('/v1/jobs', '{}')),
    crowd(10, () => send('/v1/jobs', JSON.stringify('x'.repeat(200_000)))),
  ]);
  const [late] = large.filter(({ status }) => status === 503);
  expect(late?.headers.connection).toBe('close');
  expect(replies.some(({ status }) => status === 503)).toBe(true);
  expect((await send('/v1/jobs', '{}')).status).toBe(200);
});

test('clients for whom places are kept have them at the next slices, also when nobody comes or leaves', async () => {
  const [places, turnsOfLoop] = [8, 20];
  const door = createDoor({
    slice: { ms: 1e9, count: 1 },
    atOnce: { lateMs: 10, least: places, first: places, most: places },
    mostWaiting: 256,
  });
  closers.push(() => door.close());
  const begun: string[] = [];
  const enter = (client: string) => {
    const come = new IncomingMessage(new Socket());
    const guest = { request: come, response: new ServerResponse(come) };
    door.enter(client, { ...guest, begin: () => begun.push(client), refuse: () => begun.push('refused') });
  };
  for (let n = 0; n < places; n += 1) enter('crowd');
  for (let n = 0; n < turnsOfLoop; n += 1) await endOfTurn();
  expect(begun).toHaveLength(places);
  for (const client of ['one', 'other']) enter(client);
  for (let n = 0; n < turnsOfLoop; n += 1) await endOfTurn();
  expect(begun.slice(places)).toEqual(['one', 'other']);
});
