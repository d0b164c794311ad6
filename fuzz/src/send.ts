import { Agent, request as httpRequest, type IncomingMessage } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { gunzipSync } from 'node:zlib';
import type { Answer, NoAnswer } from './judge/answer.ts';
import type { FuzzRequest } from './request/fuzz-request.ts';
import type { Keys } from './world/keys.ts';

/** Sends a request with the key that it names. */
export interface Sender {
  send(
    request: Pick<FuzzRequest, 'method' | 'target' | 'headers' | 'body' | 'key'>,
  ): Promise<Answer | NoAnswer>;
  close(): void;
}

const GIVE_UP_MS = 15_000;

/** Node's own client, as it is the one that sends whatever it is told: `Expect`, a body with GET, a name twice. */
export function createSender(port: number, keys: Keys, connections: number): Sender {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  return {
    async send({ method, target, headers, body, key }) {
      const startedAt = performance.now();
      const elapsed = () => performance.now() - startedAt;
      try {
        const all = collect([
          ...(key === 'none' ? [] : [['Authorization', `Bearer ${keys[key]}`] as const]),
          ...(body ? [['Content-Length', String(body.length)] as const] : []),
          ...headers,
        ]);
        const options = { agent, host: '127.0.0.1', port, method, path: target, headers: all };
        const reply = await ask({ ...options, signal: AbortSignal.timeout(GIVE_UP_MS) }, body);
        return {
          status: reply.statusCode ?? 0,
          headers: namesOf(reply),
          text: await decoded(reply),
          ms: elapsed(),
        };
      } catch (error) {
        return { error: error instanceof Error ? error.message : String(error), ms: elapsed() };
      }
    },
    close: () => agent.destroy(),
  };
}

/** The text of a reply, which may come compressed to a request that says so. */
async function decoded(reply: IncomingMessage): Promise<string> {
  const bytes = await buffer(reply);
  const isCompressed = reply.headers['content-encoding'] === 'gzip' && bytes.length > 0;
  return (isCompressed ? gunzipSync(bytes) : bytes).toString('utf8');
}

function ask(
  options: Parameters<typeof httpRequest>[1] & object,
  body: Buffer | undefined,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(options);
    request.once('response', resolve);
    request.on('error', reject);
    request.end(body);
  });
}

/** Node takes a name that comes twice as one with two values. */
function collect(headers: readonly (readonly [string, string])[]): Record<string, string | string[]> {
  const byName = Map.groupBy(headers, ([name]) => name);
  const values = [...byName].map(([name, all]): [string, string | string[]] => {
    const texts = all.map(([, value]) => value);
    return [name, texts.length === 1 ? (texts[0] ?? '') : texts];
  });
  return Object.fromEntries(values);
}

function namesOf({ headers }: IncomingMessage): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, [value].flat().join(', ')]),
  );
}
