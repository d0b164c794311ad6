import { type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import type { GuardedAgent } from './guarded-agent.ts';

/** Replies before the reply (100, 102, 103) say nothing, and a server could send them for as long as a call may take. */
const MAX_INTERIM_REPLIES = 10;

/** One request as it goes out. */
export interface Outgoing {
  method: string;
  headers: Record<string, string>;
  body: string | undefined;
  signal: AbortSignal;
}

/**
 * Sends a request and answers its reply, whose body is still to be read; interim replies are passed over. Rejects with
 * what went wrong on the way, and when `signal` aborts.
 */
export async function exchange(agent: GuardedAgent, url: URL, outgoing: Outgoing): Promise<IncomingMessage> {
  const { method, headers, body, signal } = outgoing;
  const send = url.protocol === 'https:' ? requestHttps : requestHttp;
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const request = send(url, { agent: agent.agentFor(url), method, headers, signal });
  let interim = 0;
  request.on('information', () => {
    interim += 1;
    if (interim > MAX_INTERIM_REPLIES)
      request.destroy(new Error(`There were more than ${MAX_INTERIM_REPLIES} interim replies.`));
  });
  request.on('upgrade', (_reply, socket) => {
    socket.destroy();
    reject(new Error('The server switched to another protocol.'));
  });
  request.on('response', resolve).on('error', reject);
  request.end(body);
  return promise;
}
