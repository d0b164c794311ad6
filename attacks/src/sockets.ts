import { connect, type Socket } from 'node:net';

/** Opens connections again as soon as they end, and hands each to `use`, until it is stopped. */
export function keepConnections(
  port: number,
  count: number,
  use: (socket: Socket) => void,
): { opened(): number; stop(): void } {
  const sockets = new Set<Socket>();
  let opened = 0;
  let isStopped = false;

  function open(): void {
    if (isStopped) return;
    opened += 1;
    const socket = connect(port, '127.0.0.1');
    sockets.add(socket);
    // A server that defends itself cuts connections off.
    socket.on('error', () => undefined);
    socket.once('close', () => {
      sockets.delete(socket);
      setTimeout(open, REOPEN_MS).unref();
    });
    use(socket);
  }

  for (let index = 0; index < count; index += 1) open();
  return {
    opened: () => opened,
    stop() {
      isStopped = true;
      for (const socket of sockets) socket.destroy();
    },
  };
}

/** So that a server that closes at once is not measured against a client that only connects. */
const REOPEN_MS = 50;
