import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { COMMAND_COMPLETE, createPostgresScanner, READY_FOR_QUERY } from './scan-postgres.ts';
import { createRedisScanner } from './scan-redis.ts';
import type { Traffic } from './traffic.ts';

/** A way from a process to a server that counts what is said on it. */
export interface CountingRelay {
  /** The server's URL by way of the relay. */
  readonly url: string;
  /** What went over it since it was started. */
  read(): Traffic;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Sees the bytes of one connection, and adds to the traffic. */
interface Tap {
  fromClient?(piece: Buffer): void;
  fromServer(piece: Buffer): void;
}

const TAPS: Record<string, (traffic: Traffic) => Tap> = { 'postgres:': tapPostgres, 'redis:': tapRedis };

/**
 * Starts a relay in front of the server of `url`. What passes is only looked at, so that nothing is asked of the server
 * that a view such as `pg_stat_statements` would need.
 */
export async function startCountingRelay(url: string): Promise<CountingRelay> {
  const { protocol, hostname: host, port } = new URL(url);
  const openTap = TAPS[protocol];
  if (!openTap) throw new TypeError(`There is no relay for ${protocol}`);
  const traffic: Traffic = { commands: 0, roundTrips: 0 };
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true }, (client) => {
    const upstream = connect({ host, port: Number(port), noDelay: true });
    const tap = openTap(traffic);
    client.on('data', (piece) => tap.fromClient?.(piece));
    upstream.on('data', (piece) => tap.fromServer(piece));
    join(client, upstream, sockets);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const relayed = new URL(url);
  relayed.host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url: relayed.href,
    read: () => ({ ...traffic }),
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

/** Joins two sockets into one connection: the end of either is the end of both. */
function join(client: Socket, upstream: Socket, sockets: Set<Socket>): void {
  for (const [socket, other] of [
    [client, upstream],
    [upstream, client],
  ] as const) {
    sockets.add(socket);
    socket.pipe(other);
    socket.on('error', () => other.destroy());
    socket.once('close', () => {
      sockets.delete(socket);
      other.destroy();
    });
  }
}

function tapPostgres(traffic: Traffic): Tap {
  const fromServer = createPostgresScanner((type) => {
    if (type === COMMAND_COMPLETE) traffic.commands += 1;
    if (type === READY_FOR_QUERY) traffic.roundTrips += 1;
  });
  return { fromServer };
}

/** Commands on one connection are pipelined, so an exchange is what is sent before the server speaks again. */
function tapRedis(traffic: Traffic): Tap {
  let serverSpokeLast = true;
  const scan = createRedisScanner(() => {
    traffic.commands += 1;
  });
  return {
    fromClient(piece) {
      if (serverSpokeLast) traffic.roundTrips += 1;
      serverSpokeLast = false;
      scan(piece);
    },
    fromServer() {
      serverSpokeLast = true;
    },
  };
}
