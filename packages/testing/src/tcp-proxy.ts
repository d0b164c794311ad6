import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

/** A link between clients and one server that a test may slow, cut or break. It keeps no connection from its client. */
export interface TcpProxy {
  /** Where clients connect to, on 127.0.0.1. */
  readonly port: number;
  /** Delays every byte by this many milliseconds, in each direction. */
  setLatencyMs(latencyMs: number): void;
  /** Lets nothing pass: connections stay open, new ones are accepted and hang, and nobody is told. */
  blackhole(): void;
  /** Lets pass what clients send, and nothing of what the server answers. */
  halfOpen(): void;
  /** Breaks every connection with a RST on both sides; answers how many there were. */
  resetAll(): number;
  /** Takes new connections to another server; those that are open stay where they are. */
  retarget(target: Target): void;
  /** Lets everything pass at once; what was held back is delivered, as TCP does after a partition. */
  heal(): void;
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

export interface Target {
  host: string;
  port: number;
}

/** The state of the link; `changed` is replaced, and the old one resolved, when the link changes. */
interface Link {
  target: Target;
  latencyMs: number;
  passes: { toServer: boolean; toClient: boolean };
  changed: PromiseWithResolvers<void>;
}

type Direction = keyof Link['passes'];
type Piece = { due: number; what: Buffer | 'end' | 'reset' };

/** What a side may send ahead while the link holds it back, in pieces of at most 64 KiB. */
const MAX_HELD_PIECES = 256;

/** Starts a proxy in front of `target`; nothing is wrong with the link until asked for. */
export async function startTcpProxy({ target }: { target: Target }): Promise<TcpProxy> {
  const link: Link = {
    target,
    latencyMs: 0,
    passes: { toServer: true, toClient: true },
    changed: Promise.withResolvers(),
  };
  const pairs = new Set<Socket[]>();
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
    void join(client, link, pairs);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const setPasses = (toServer: boolean, toClient: boolean) => {
    link.passes = { toServer, toClient };
    link.changed.resolve();
    link.changed = Promise.withResolvers();
  };
  const resetAll = () => {
    const broken = [...pairs];
    for (const socket of broken.flat()) socket.resetAndDestroy();
    return broken.length;
  };
  const close = async () => {
    const closed = once(server, 'close');
    server.close();
    resetAll();
    await closed;
  };
  return {
    port: (server.address() as AddressInfo).port,
    setLatencyMs(latencyMs) {
      link.latencyMs = latencyMs;
    },
    blackhole: () => setPasses(false, false),
    halfOpen: () => setPasses(true, false),
    resetAll,
    retarget(to) {
      link.target = to;
    },
    heal() {
      link.latencyMs = 0;
      setPasses(true, true);
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** Connects a client's connection with one of its own to the server, as soon as the link lets a SYN pass. */
async function join(client: Socket, link: Link, pairs: Set<Socket[]>): Promise<void> {
  const pair = [client];
  pairs.add(pair);
  const forget = () => pair.every((socket) => socket.destroyed) && pairs.delete(pair);
  client.on('error', () => undefined);
  client.once('close', forget);
  await opened(link, 'toServer', client);
  if (client.destroyed) return;
  const upstream = connect({ ...link.target, allowHalfOpen: true, noDelay: true });
  upstream.once('close', forget);
  pair.push(upstream);
  relay(client, upstream, link, 'toServer');
  relay(upstream, client, link, 'toClient');
}

/** Carries one direction of a connection; an end and a reset wait their turn behind the bytes before them. */
function relay(from: Socket, to: Socket, link: Link, direction: Direction): void {
  const held: Piece[] = [];
  let carrying = false;

  async function carry(): Promise<void> {
    if (carrying) return;
    carrying = true;
    for (let piece = held.shift(); piece; piece = held.shift()) {
      await delay(Math.max(0, piece.due - performance.now()));
      await opened(link, direction, to);
      if (held.length < MAX_HELD_PIECES) from.resume();
      await give(to, piece.what);
    }
    carrying = false;
  }

  const hold = (what: Piece['what']) => {
    held.push({ due: performance.now() + link.latencyMs, what });
    if (held.length >= MAX_HELD_PIECES) from.pause();
    void carry();
  };
  from.on('data', hold);
  from.once('end', () => hold('end'));
  from.once('error', () => hold('reset'));
}

async function give(to: Socket, what: Piece['what']): Promise<void> {
  if (to.destroyed) return;
  if (what === 'reset') to.resetAndDestroy();
  else if (what === 'end') to.end();
  else if (!to.write(what)) await Promise.race([once(to, 'drain'), once(to, 'close')]).catch(() => undefined);
}

/** Resolves when the link lets this direction pass, or `socket` is gone. */
async function opened(link: Link, direction: Direction, socket: Socket): Promise<void> {
  while (!link.passes[direction] && !socket.destroyed) await link.changed.promise;
}
