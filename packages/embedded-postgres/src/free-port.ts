import { createServer } from 'node:net';

/** Finds a free port on 127.0.0.1: `wanted` when it is free, else any. */
export async function findFreePort(wanted = 0): Promise<number> {
  const port = await tryPort(wanted);
  return port ?? (await findFreePort());
}

function tryPort(port: number): Promise<number | undefined> {
  return new Promise((done) => {
    const server = createServer();
    server.on('error', () => done(undefined));
    server.listen(port, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => done(typeof address === 'object' ? address?.port : undefined));
    });
  });
}
