import { once } from 'node:events';
import { type AddressInfo, connect } from 'node:net';
import { waitUntil } from '@accepted/testing/wait-until';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ApiUnderTest, countJobs, createOtherTenant, startApi } from './api-under-test.ts';

const JOBS = 40;
/** No two fit into one statement. */
const PAYLOAD_BYTES = 300_000;
/** Statements that may be under way when the callers of all others are told no. */
const UNDER_WAY = 6;

let api: ApiUnderTest;
/** The key of another tenant. */
let other: string;
beforeAll(async () => {
  api = await startApi();
  other = await createOtherTenant(api.db);
});
afterAll(() => api[Symbol.asyncDispose]());

test('while Postgres is slow, large jobs are not written after their callers were answered 503', async () => {
  await api.submit();
  const before = await countJobs(api.db);
  const { promise: mayEnd, resolve: release } = Promise.withResolvers<void>();
  const { promise: isLocked, resolve: locked } = Promise.withResolvers<void>();
  const locker = api.db.transaction().execute(async (tx) => {
    await sql`LOCK TABLE jobs IN SHARE MODE`.execute(tx);
    locked();
    await mayEnd;
  });
  await isLocked;
  const body = { type: 'test.echo', payload: { text: 'x'.repeat(PAYLOAD_BYTES) } };
  const replies = await Promise.all(
    Array.from({ length: JOBS }, () => api.send('POST', '/v1/jobs', { body })),
  );
  expect(replies.map((reply) => reply.statusCode)).toEqual(replies.map(() => 503));
  release();
  await locker;

  // A job that comes after all of these.
  await api.submit();
  expect(await countJobs(api.db)).toBeLessThanOrEqual(before + 1 + UNDER_WAY);
});

test('a crowd of the largest payloads is taken or told to come again, and small jobs of others pass it', async () => {
  const large = { type: 'test.echo', payload: { text: '\\'.repeat(500_000) } };
  const small = { type: 'test.echo', payload: {} };
  const crowd = Array.from({ length: 60 }, () => api.send('POST', '/v1/jobs', { body: large }));
  const others = Array.from({ length: 20 }, () => api.send('POST', '/v1/jobs', { body: small, key: other }));
  expect((await Promise.all(others)).map((reply) => reply.statusCode)).toEqual(Array(20).fill(202));
  const replies = await Promise.all(crowd);
  const refused = replies.filter((reply) => reply.statusCode !== 202);
  const codes = refused.map((reply) => `${reply.statusCode} ${reply.json().code}`);
  // On a slow machine the few that were being written may not have been in time.
  expect(codes.filter((code) => code !== '503 overloaded').length).toBeLessThanOrEqual(3);
  expect(refused.every((reply) => Number(reply.headers['retry-after']) > 0)).toBe(true);
  expect(codes.length).toBeGreaterThan(30);
});

test('of the bodies of one tenant only so many bytes are here at once, and others are not refused for them', async () => {
  const { port } = await listen(api);
  const sockets = Array.from({ length: 33 }, () => connect(port, '127.0.0.1'));
  for (const socket of sockets) socket.write(`${headOf(api.key)}Content-Length: 1048576\r\n\r\n{`);
  const [reply] = await Promise.race(sockets.map((socket) => once(socket, 'data')));
  expect(String(reply)).toMatch(/^HTTP\/1.1 503 [\s\S]*"code":"overloaded"/);
  const body = { type: 'test.echo', payload: {} };
  expect((await api.send('POST', '/v1/jobs', { body, key: other })).statusCode).toBe(202);

  for (const socket of sockets) socket.destroy();
  const isFree = async () => (await api.send('POST', '/v1/jobs', { body })).statusCode === 202;
  await waitUntil(isFree, { until: 'what is gone counts no more' });
});

test('of the bodies of all tenants only so many bytes are here at once', async () => {
  const bodies = { maxBytes: 2 ** 20, maxBytesPerTenant: 8 * 2 ** 20 };
  await using own = await startApi({}, undefined, { bodies });
  const otherKey = await createOtherTenant(own.db);
  const { port } = await listen(own);
  // Whose key is known is admitted as soon as its request is there.
  await own.submit();
  const arrived = once(own.app.server, 'request');
  const socket = connect(port, '127.0.0.1');
  socket.write(`${headOf(own.key)}Content-Length: ${bodies.maxBytes}\r\n\r\n{`);
  await arrived;

  const submit = () =>
    own.send('POST', '/v1/jobs', { body: { type: 'test.echo', payload: {} }, key: otherKey });
  const refused = await waitUntil(
    async () => {
      const reply = await submit();
      return reply.statusCode === 503 ? reply : undefined;
    },
    { until: 'the other tenant is told to come again' },
  );
  expect(refused.json().code).toBe('overloaded');
  expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);

  socket.destroy();
  await waitUntil(async () => (await submit()).statusCode === 202, {
    until: 'what is gone counts no more',
  });
});

function headOf(key: string): string {
  return `POST /v1/jobs HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${key}\r\nContent-Type: application/json\r\n`;
}

async function listen({ app }: ApiUnderTest): Promise<AddressInfo> {
  await app.listen({ port: 0, host: '127.0.0.1' });
  return app.server.address() as AddressInfo;
}
