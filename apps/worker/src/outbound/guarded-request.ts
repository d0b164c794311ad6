import type { IncomingMessage } from 'node:http';
import { messageWithReasons } from '@accepted/shared/core/job/error-reasons';
import { urlFault } from '@accepted/shared/core/outbound/url-fault';
import { exchange } from './exchange.ts';
import { type GuardedAgent, RefusedAddressError } from './guarded-agent.ts';

/** The longest reply that is read; the rest is cut off. */
const MAX_REPLY_BYTES = 64 * 1024;

/** What may come with a reply that is not its body: names of chunks, their extensions, trailers, and what is read ahead. */
const MAX_BYTES_AROUND = 256 * 1024;

export interface OutboundRequest {
  method: string;
  url: string;
  headers: Record<string, string>;
  body: string | undefined;
  timeoutMs: number;
  signal: AbortSignal;
}

export interface OutboundReply {
  status: number;
  headers: Record<string, string | string[]>;
  body: Buffer;
  /** Whether the body was longer than what was read of it. */
  truncated: boolean;
  durationMs: number;
}

/** Makes HTTP calls on a user's behalf. Rejects with OutboundError, or with the reason of `signal`. */
export type Outbound = (call: OutboundRequest) => Promise<OutboundReply>;

export type OutboundFault = 'url_not_allowed' | 'address_not_allowed' | 'request_timeout' | 'network_error';

/** Tells why a call got no reply. */
export class OutboundError extends Error {
  override name = 'OutboundError';
  readonly code: OutboundFault;

  constructor(code: OutboundFault, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/**
 * Makes the function that calls through `agent`, in this thread. It follows no redirect, reads at most 64 KiB of a reply as it came
 * (compressed stays compressed, so that a small reply cannot unfold into a huge one), and bounds the whole call by
 * `timeoutMs`, however slowly the reply drips.
 */
export function createOutbound(agent: GuardedAgent): Outbound {
  return async (call) => {
    const url = checkUrl(call.url);
    const timeout = AbortSignal.timeout(call.timeoutMs);
    const startedAt = performance.now();
    try {
      const reply = await exchange(agent, url, {
        method: call.method,
        headers: { 'accept-encoding': 'identity', ...call.headers },
        body: call.body,
        signal: AbortSignal.any([call.signal, timeout]),
      });
      const { body, truncated } = await readCapped(reply);
      return {
        status: reply.statusCode ?? 0,
        headers: singleOrList(reply.headersDistinct),
        body,
        truncated,
        durationMs: Math.round(performance.now() - startedAt),
      };
    } catch (error) {
      call.signal.throwIfAborted();
      throw timeout.aborted ? timedOut(call.timeoutMs) : describeFault(error);
    }
  };
}

function checkUrl(text: string): URL {
  const fault = urlFault(text);
  if (fault !== undefined) throw new OutboundError('url_not_allowed', fault);
  return new URL(text);
}

async function readCapped(stream: IncomingMessage): Promise<{ body: Buffer; truncated: boolean }> {
  const chunks: Buffer[] = [];
  let size = 0;
  const { socket } = stream;
  const mostBytes = socket.bytesRead + MAX_REPLY_BYTES + MAX_BYTES_AROUND;
  for await (const chunk of stream) {
    chunks.push(chunk);
    size += chunk.length;
    if (socket.bytesRead > mostBytes)
      throw new Error('The reply has far more around its chunks than in them.');
    // Leaving the loop destroys the stream, and with it the connection.
    if (size > MAX_REPLY_BYTES) break;
  }
  const body = Buffer.concat(chunks, Math.min(size, MAX_REPLY_BYTES));
  return { body, truncated: size > MAX_REPLY_BYTES };
}

/** A header that came once is text, one that came several times a list. */
function singleOrList(headers: IncomingMessage['headersDistinct']): OutboundReply['headers'] {
  return Object.fromEntries(
    Object.entries(headers).map(([name, values = []]) => [
      name,
      values.length === 1 ? String(values[0]) : values,
    ]),
  );
}

function timedOut(timeoutMs: number): OutboundError {
  return new OutboundError('request_timeout', `There was no whole reply within ${timeoutMs} ms.`);
}

function describeFault(cause: unknown): OutboundError {
  if (cause instanceof RefusedAddressError) {
    return new OutboundError('address_not_allowed', cause.message, { cause });
  }
  return new OutboundError('network_error', `The call failed: ${messageWithReasons(cause)}`, { cause });
}
