import { startTcpProxy, type TcpProxy } from '@accepted/testing/tcp-proxy';

/** The ways of one process to its servers, each its own, so that it alone can be cut off. */
export interface Links {
  postgres: TcpProxy;
  redis: TcpProxy | undefined;
  /** What the process is given to connect to. */
  env: Record<string, string>;
  close(): Promise<void>;
}

/** `postgresPort` is where that server is now: a failover takes the link elsewhere. */
export async function openLinks(to: {
  databaseUrl: string;
  postgresPort: number;
  redisUrl: string | undefined;
}): Promise<Links> {
  const postgres = await proxyTo(to.databaseUrl, to.postgresPort);
  const redis = to.redisUrl === undefined ? undefined : await proxyTo(to.redisUrl);
  return {
    postgres: postgres.proxy,
    redis: redis?.proxy,
    env: { DATABASE_URL: postgres.url, ...(redis && { REDIS_URL: redis.url }) },
    async close() {
      await postgres.proxy.close();
      await redis?.proxy.close();
    },
  };
}

/** Puts a proxy before a server; answers the URL that goes by way of it. */
export async function proxyTo(
  target: string,
  port = Number(new URL(target).port),
): Promise<{ proxy: TcpProxy; url: string }> {
  const url = new URL(target);
  const proxy = await startTcpProxy({ target: { host: url.hostname, port } });
  url.port = String(proxy.port);
  return { proxy, url: url.href };
}
