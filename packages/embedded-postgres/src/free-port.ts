import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

/**
 * Below the ports that systems give to outgoing connections (Linux from 32,768 on, RFC 6335 from 49,152 on): one of those
 * may be taken by a connection between the moment it is found and the moment its server listens.
 */
const FROM = 10_240;
const BELOW = 32_768;

/** Finds a free port on 127.0.0.1: `wanted` when it is free, else any. */
export async function findFreePort(wanted?: number): Promise<number> {
  if (wanted !== undefined && (await isFree(wanted))) return wanted;
  for (;;) {
    const port = randomInt(FROM, BELOW);
    if (await isFree(port)) return port;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.on('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
