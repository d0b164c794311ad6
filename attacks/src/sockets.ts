import { connect, type Socket } from 'node:net';

/** Connections that are opened again as soon as they end. */
export interface KeptConnections {
  /** How many were made: a connection that was refused is none. */
  established(): number;
  /** How many of them the server has ended. */
  endedByServer(): number;
  stop(): void;
}

/** Keeps `count` connections open, and hands each to `use` when it is made, until it is stopped. */
export function keepConnections(port: number, count: number, use: (socket: Socket) => void): KeptConnections {
  const sockets = new Set<Socket>();
  let [established, endedByServer] = [0, 0];
  let isStopped = false;

  function open(): void {
    if (isStopped) return;
    const socket = connect(port, '127.0.0.1');
    sockets.add(socket);
    // A server that defends itself cuts connections off.
    socket.on('error', () => undefined);
    socket.once('connect', () => {
      established += 1;
      socket.once('close', () => {
        if (!isStopped) endedByServer += 1;
      });
      use(socket);
    });
    socket.once('close', () => {
      sockets.delete(socket);
      setTimeout(open, REOPEN_MS).unref();
    });
  }

  for (let index = 0; index < count; index += 1) open();
  return {
    established: () => established,
    endedByServer: () => endedByServer,
    stop() {
      isStopped = true;
      for (const socket of sockets) socket.destroy();
    },
  };
}

/**
 * Lets a socket that is not read hear that the server has cut it off: only what is written to it is then refused, and that is
 * heard of by the next that is written. Each probe is a sign of life to the server as well, so `everyMs` has to be longer
 * than the server waits for one.
 */
export function probeForEnd(socket: Socket, everyMs: number): void {
  // An empty line between two requests means nothing.
  const probe = () => socket.writable && socket.write('\r\n');
  const timers = [setInterval(probe, everyMs), setInterval(probe, everyMs + HEARD_OF_MS)];
  socket.once('close', () => {
    for (const timer of timers) clearInterval(timer);
  });
}

/** So that a server that closes at once is not measured against a client that only connects. */
const REOPEN_MS = 50;
const HEARD_OF_MS = 100;
