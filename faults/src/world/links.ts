import { startTcpProxy, type TcpProxy } from '@accepted/testing/tcp-proxy';

/** The ways of one process to its servers, each its own, so that it alone can be cut off. */
export interface Links {
  postgres: TcpProxy;
  redis: TcpProxy | undefined;
  /** What the process is given to connect to. */
  env: Record<string, string>;
  close(): Promise<void>;
}

export async function openLinks(urls: { databaseUrl: string; redisUrl: string | undefined }): Promise<Links> {
  const postgres = await proxyTo(urls.databaseUrl);
  const redis = urls.redisUrl === undefined ? undefined : await proxyTo(urls.redisUrl);
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

async function proxyTo(target: string): Promise<{ proxy: TcpProxy; url: string }> {
  const url = new URL(target);
  const proxy = await startTcpProxy({ target: { host: url.hostname, port: Number(url.port) } });
  url.port = String(proxy.port);
  return { proxy, url: url.href };
}
