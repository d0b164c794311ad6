import { type AddressInfo, connect } from 'node:net';
import { waitUntil } from '@accepted/testing/wait-until';
import { afterEach, expect, test } from 'vitest';
import type { UnreadBounds } from '../src/connections/unread-replies.ts';
import { type ApiUnderTest, startApi } from './api-under-test.ts';

/** No kernel takes so much at once. */
const LARGE = 'x'.repeat(32 * 2 ** 20);

let api: ApiUnderTest;
afterEach(() => api[Symbol.asyncDispose]());

/** Starts an API that has something large to say; answers what asks for it and reads nothing. */
async function listen(unreadReplies: UnreadBounds) {
  api = await startApi({}, undefined, { unreadReplies });
  let begun = 0;
  api.app.get('/large', async () => {
    begun += 1;
    return LARGE;
  });
  await api.app.listen({ port: 0, host: '127.0.0.1' });
  const { port } = api.app.server.address() as AddressInfo;
  const open = new Set<number>();
  api.app.server.on('connection', (socket) => {
    const place = open.size;
    open.add(place);
    socket.once('close', () => open.delete(place));
  });
  const ask = async () => {
    const before = begun;
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => undefined).pause();
    socket.write('GET /large HTTP/1.1\r\nHost: x\r\n\r\n');
    await waitUntil(() => begun > before, { until: 'the request is answered' });
  };
  return { ask, open };
}

test('a client that takes nothing of its reply is cut off', async () => {
  const { ask, open } = await listen({ stalledMs: 300, minBytesPerSecond: 2 ** 40, maxBytes: 2 ** 40 });
  await ask();
  await waitUntil(() => open.size === 0, { until: 'it is cut off' });
});

test('of the clients that read nothing the slowest is cut off when all together are too many bytes', async () => {
  const { ask, open } = await listen({
    stalledMs: 60_000,
    minBytesPerSecond: 2 ** 40,
    maxBytes: 1.5 * LARGE.length,
  });
  await ask();
  await ask();
  await waitUntil(() => !open.has(0), { until: 'the first is cut off' });
  expect(open).toEqual(new Set([1]));
});
