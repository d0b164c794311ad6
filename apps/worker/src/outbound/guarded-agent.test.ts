import { createServer, get } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { createAddressPolicy } from './address-policy.ts';
import { openGuardedAgent } from './guarded-agent.ts';

test('what a server sends in one piece is handed over in small ones, so that a call can be given up between them', async () => {
  const sent = Buffer.alloc(300_000, 'abc');
  const server = createServer((_request, response) => response.end(sent));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => server.closeAllConnections());
  onTestFinished(() => void server.close());
  const url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  const agent = openGuardedAgent(createAddressPolicy(['127.0.0.1/32'])).agentFor(url);
  const sizes: number[] = [];
  const request = get(url, { agent });
  request.on('socket', (socket) => socket.on('data', (piece) => sizes.push(piece.length)));
  const received = await new Promise<Buffer[]>((resolve, reject) => {
    request.on('error', reject).on('response', (reply) => resolve(reply.toArray()));
  });
  expect(Buffer.concat(received).equals(sent)).toBe(true);
  expect(Math.max(...sizes)).toBeLessThanOrEqual(4_096);
});
