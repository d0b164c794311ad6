import { type AddressInfo, createServer, type Socket } from 'node:net';

/** A server of the attacker that the platform is made to call. */
export interface Receiver {
  url: string;
  /** How many connections have brought a call, and how many of them there were at once at most. */
  called(): number;
  atOnce(): number;
  /** Ends it and all its connections. */
  stop(): void;
}

/** Starts a receiver; `answer` does with each connection, once a call has come on it, what it is there for. */
export async function startReceiver(answer: (socket: Socket) => void): Promise<Receiver> {
  const sockets = new Set<Socket>();
  const calling = new Set<Socket>();
  let [called, atOnce] = [0, 0];
  const server = createServer((socket) => {
    sockets.add(socket);
    socket
      .on('error', () => undefined)
      .once('close', () => {
        sockets.delete(socket);
        calling.delete(socket);
      });
    socket.once('data', () => {
      called += 1;
      calling.add(socket);
      atOnce = Math.max(atOnce, calling.size);
      answer(socket);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    called: () => called,
    atOnce: () => atOnce,
    stop() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
