import { type AddressInfo, createServer, type Socket } from 'node:net';

/** A server of the attacker that the platform is made to call. */
export interface Receiver {
  url: string;
  /** How many connections it has taken, and how many it had at once at most. */
  taken(): number;
  atOnce(): number;
  /** Ends it and all its connections. */
  stop(): void;
}

/** Starts a receiver; `use` does with each connection what it is there for. */
export async function startReceiver(use: (socket: Socket) => void): Promise<Receiver> {
  const sockets = new Set<Socket>();
  let [taken, atOnce] = [0, 0];
  const server = createServer((socket) => {
    sockets.add(socket);
    taken += 1;
    atOnce = Math.max(atOnce, sockets.size);
    socket.on('error', () => undefined).once('close', () => sockets.delete(socket));
    use(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    taken: () => taken,
    atOnce: () => atOnce,
    stop() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
