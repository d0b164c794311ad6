import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { verifyWebhookSignature } from '@accepted/shared/core/webhook/signature';
import type { ReceiverLine } from '../logs.ts';
import type { Certificate } from './certificates.ts';
import type { Journal } from './journal.ts';

/** How the receiver treats those who call it; in all of them it has read the whole request before. */
export type ReceiverManner =
  | 'polite'
  | 'answers-500'
  /** A byte of the reply at a time. */
  | 'drips'
  | 'hangs'
  /** Takes the event, then cuts the connection. */
  | 'reply-lost'
  /** A reply without an end. */
  | 'floods'
  | 'gzip-bomb'
  /** To a place that must not be called. */
  | 'redirects'
  /** Shows a certificate that nobody has reason to trust; only over TLS. */
  | 'untrusted';

export interface Receiver {
  readonly url: string;
  manner: ReceiverManner;
  /** Requests that were treated in this manner since it was last set to it. */
  readonly treated: number;
  /** Requests to the place that the redirects name, and over TLS that must not be trusted. */
  readonly trespasses: number;
  close(): Promise<void>;
}

const DRIP_MS = 500;
const FLOOD_BYTES = 1_000_000_000;
const FLOOD_CHUNK = Buffer.alloc(65_536, 'x');
const TRESPASS_PATH = '/internal';

let bomb: Promise<Buffer> | undefined;
/** Is made once, as that takes a while. */
const gzipBomb = () => {
  bomb ??= promisify(gzip)(Buffer.alloc(100_000_000));
  return bomb;
};

export interface ReceiverOptions {
  /** Signs the webhooks. */
  secret: string;
  journal: Journal<ReceiverLine>;
  /** Makes it speak TLS. */
  tls?: { trusted: Certificate; untrusted: Certificate };
}

/** Starts the receiver of a run's webhooks; it logs each request before it answers. */
export async function startReceiver({ secret, journal, tls }: ReceiverOptions): Promise<Receiver> {
  const bomb = gzipBomb();
  let manner: ReceiverManner = 'polite';
  let treated = 0;
  let trespasses = 0;

  async function answer(request: IncomingMessage, reply: ServerResponse): Promise<void> {
    if (request.url === TRESPASS_PATH || manner === 'untrusted') trespasses += 1;
    const body = await buffer(request);
    const now = manner;
    treated += 1;
    void journal.write(describeRequest(request, body, secret, repliedStatus(now)));
    respond(now, reply, await bomb);
  }

  const listener = (request: IncomingMessage, reply: ServerResponse) => {
    answer(request, reply).catch(() => reply.destroy());
  };
  const secure = tls && createSecureServer(tls.trusted, listener);
  secure?.on('tlsClientError', () => {
    if (manner === 'untrusted') treated += 1;
  });
  const server = secure ?? createServer(listener);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `${tls ? 'https' : 'http'}://127.0.0.1:${(server.address() as AddressInfo).port}/hooks`,
    get manner() {
      return manner;
    },
    set manner(next) {
      manner = next;
      treated = 0;
      if (!tls) return;
      secure?.setSecureContext(next === 'untrusted' ? tls.untrusted : tls.trusted);
      // Connections of before have seen the other certificate.
      server.closeAllConnections();
    },
    get treated() {
      return treated;
    },
    get trespasses() {
      return trespasses;
    },
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

function repliedStatus(manner: ReceiverManner): number | null {
  if (manner === 'hangs' || manner === 'reply-lost') return null;
  if (manner === 'answers-500') return 500;
  return manner === 'redirects' ? 302 : 200;
}

function respond(manner: ReceiverManner, reply: ServerResponse, bomb: Buffer): void {
  if (manner === 'polite' || manner === 'untrusted') reply.end('thanks');
  else if (manner === 'answers-500') reply.writeHead(500).end('broken');
  else if (manner === 'redirects') reply.writeHead(302, { location: TRESPASS_PATH }).end();
  else if (manner === 'reply-lost') reply.destroy();
  else if (manner === 'gzip-bomb') reply.writeHead(200, { 'content-encoding': 'gzip' }).end(bomb);
  else if (manner === 'drips') drip(reply);
  else if (manner === 'floods') flood(reply);
}

function drip(reply: ServerResponse): void {
  reply.writeHead(200, { 'content-length': '1000000' });
  const timer = setInterval(() => reply.write('.'), DRIP_MS);
  reply.once('close', () => clearInterval(timer));
}

function flood(reply: ServerResponse, left = FLOOD_BYTES): void {
  if (reply.destroyed || left <= 0) return void reply.end();
  if (reply.write(FLOOD_CHUNK)) setImmediate(flood, reply, left - FLOOD_CHUNK.length);
  else reply.once('drain', () => flood(reply, left - FLOOD_CHUNK.length));
}

function describeRequest(
  request: IncomingMessage,
  body: Buffer,
  secret: string,
  replied: number | null,
): ReceiverLine {
  const header = (name: string) => String(request.headers[name] ?? '');
  const content = {
    id: header('webhook-id'),
    timestamp: Number(header('webhook-timestamp')),
    body: body.toString(),
  };
  const event = parseEvent(content.body);
  return {
    at: Date.now(),
    webhookId: content.id,
    bodyHash: createHash('sha256').update(body).digest('hex'),
    signatureValid: verifyWebhookSignature(content, header('webhook-signature'), [secret], content.timestamp),
    replied,
    jobId: event.data?.id ?? null,
    event: event.type ?? null,
  };
}

function parseEvent(body: string): { type?: string; data?: { id?: string } } {
  try {
    return JSON.parse(body);
  } catch {
    return {};
  }
}
