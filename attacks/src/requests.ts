import { setTimeout as delay } from 'node:timers/promises';
import { Pool } from 'undici';
import type { RunningAttack } from './attack.ts';
import { createTally } from './tally.ts';

/** One request of an attacker. */
export interface AttackRequest {
  method: 'GET' | 'POST';
  path: string;
  body?: string;
  headers?: Record<string, string>;
}

const REQUEST_TIMEOUT_MS = 60_000;

export interface Sending {
  clients: number;
  everyMs?: number;
  next: (n: number) => AttackRequest;
  /** The answers that say that a request did what it was sent for. */
  counts: readonly number[];
}

/** Sends requests from `clients` at once, each the next as soon as its last is answered or `everyMs` have passed. */
export function sendAgain(
  url: string,
  key: string | undefined,
  { clients, everyMs = 0, next, counts }: Sending,
): RunningAttack {
  const pool = new Pool(url, { connections: clients, pipelining: 1, bodyTimeout: REQUEST_TIMEOUT_MS });
  const over = new AbortController();
  const tally = createTally();
  let sent = 0;

  async function send({ method, path, body, headers }: AttackRequest): Promise<void> {
    const reply = await pool.request({
      method,
      path,
      ...(body !== undefined && { body }),
      headers: {
        ...(key !== undefined && { authorization: `Bearer ${key}` }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...headers,
      },
      signal: over.signal,
    });
    await reply.body.dump();
    tally.count(reply.statusCode);
  }

  async function sendForever(): Promise<void> {
    while (!over.signal.aborted) {
      await send(next(sent++)).catch(() => over.signal.aborted || tally.count('no answer'));
      if (everyMs > 0) await delay(everyMs, undefined, { signal: over.signal }).catch(() => undefined);
    }
  }

  const all = Promise.all(Array.from({ length: clients }, sendForever));
  return {
    done: () => tally.of(counts),
    got: tally.text,
    async stop() {
      over.abort();
      await all;
      await pool.destroy();
    },
  };
}
