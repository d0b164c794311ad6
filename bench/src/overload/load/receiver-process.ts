// A receiver of webhooks and calls that answers 500 for a while, and tells what has come. Called with from when to when, in
// milliseconds since 1970.
import { createServer, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { now } from '../../noop.ts';
import type { Received } from './start-receiver.ts';

const [failsFrom, failsUntil] = process.argv.slice(2).map(Number) as [number, number];
const received: Received[] = [];
const seen = new Set<string>();

async function take(request: IncomingMessage): Promise<number> {
  const at = now();
  const { n, data } = JSON.parse(await text(request));
  // Both are the same on every try.
  const id = String(request.headers['webhook-id'] ?? request.headers['idempotency-key']);
  received.push({ n: n ?? data.result.n, at, isAgain: seen.has(id) });
  seen.add(id);
  return at >= failsFrom && at < failsUntil ? 500 : 200;
}

const server = createServer(async (request, response) => {
  if (request.method === 'GET') return void response.end(JSON.stringify(received));
  response.statusCode = await take(request);
  response.end();
});
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  if (typeof address === 'object') process.stdout.write(`listening on ${address?.port}\n`);
});
