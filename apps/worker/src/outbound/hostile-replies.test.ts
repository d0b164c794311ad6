import { type AddressInfo, createServer, type Socket } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { createAddressPolicy } from './address-policy.ts';
import { openGuardedAgent } from './guarded-agent.ts';
import { createOutbound } from './guarded-request.ts';

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

/** Answers every connection with `start`, and then with `more` for as long as anybody reads it. */
async function endless(start: string, more: string): Promise<{ url: string; written: () => number }> {
  let written = 0;
  const pour = (socket: Socket) => {
    socket.on('error', () => undefined);
    socket.write(start);
    const again = () => {
      while (!socket.destroyed && socket.write(more)) written += more.length;
      written += more.length;
    };
    socket.on('drain', again);
    socket.once('data', again);
  };
  const server = createServer(pour);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(() => server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, written: () => written };
}

const CHUNKED = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n';

it.each([
  [
    'replies before the reply',
    '',
    'HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n'.repeat(100),
  ],
  ['extensions of chunks', CHUNKED, `1;${'x'.repeat(10_000)}\r\na\r\n`],
  ['one extension', CHUNKED, 'x'.repeat(10_000).replace(/^x/, '1;')],
  ['headers', 'HTTP/1.1 200 OK\r\n', `X-Header: ${'x'.repeat(1_000)}\r\n`],
  ['trailers', `${CHUNKED}0\r\n`, `X-Trailer: ${'x'.repeat(1_000)}\r\n`],
])('a server that sends %s without end is hung up on at once', async (_name, start, more) => {
  const { url, written } = await endless(start, more);
  const outbound = createOutbound(openGuardedAgent(createAddressPolicy(['127.0.0.0/8'])));
  const signal = new AbortController().signal;
  const startedAt = performance.now();
  const call = outbound({ method: 'GET', url, headers: {}, body: undefined, timeoutMs: 30_000, signal });
  await expect(call).rejects.toMatchObject({ code: 'network_error' });
  expect(performance.now() - startedAt).toBeLessThan(3_000);
  // What the kernels on the way hold is not ours to bound.
  expect(written()).toBeLessThan(32 * 2 ** 20);
});
