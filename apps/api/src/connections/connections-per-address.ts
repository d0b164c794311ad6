import type { Server } from 'node:http';
import type { Socket } from 'node:net';

/** Closes each connection beyond `max` of one client address, after `refuse` has told it why. */
export function limitConnectionsPerAddress(
  server: Server,
  max: number,
  refuse: (socket: Socket) => void,
): void {
  const open = new Map<string, number>();
  server.on('connection', (socket: Socket) => {
    const address = socket.remoteAddress ?? '';
    const count = (open.get(address) ?? 0) + 1;
    open.set(address, count);
    socket.once('close', () => {
      const left = (open.get(address) ?? 1) - 1;
      if (left > 0) open.set(address, left);
      else open.delete(address);
    });
    if (count > max) refuse(socket);
  });
}
