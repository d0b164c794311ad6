import { setTimeout as delay } from 'node:timers/promises';
import type { TcpProxy } from '@accepted/testing/tcp-proxy';
import { Redis } from 'ioredis';
import pg from 'pg';
import type { FaultKind } from '../../kinds.ts';
import type { Node, World } from '../../world/world.ts';
import type { Fault } from '../fault.ts';
import { hold, pickReady } from '../targets.ts';

/** What becomes of the link between one process and one server. */
export interface LinkFault {
  kind: FaultKind;
  nodes: (world: World) => Node[];
  link: 'postgres' | 'redis';
  /** Breaks the link, and answers how that was seen. */
  break(proxy: TcpProxy, databaseUrl: string): Promise<string>;
  lastsMs: { least: number; most: number };
}

/** Makes a fault of one link; whatever was done to it, it is healed at the end. */
export function cutLink({ kind, nodes, link, break: breakLink, lastsMs }: LinkFault): Fault {
  return {
    kind,
    async inject({ world, random }) {
      const node = await pickReady(nodes(world), random);
      const proxy = node.links[link];
      if (!proxy) throw new Error(`${node.name} has no link to ${link}`);
      try {
        const proof = await breakLink(proxy, node.links.env.DATABASE_URL ?? '');
        await hold(random, lastsMs.least, lastsMs.most);
        return { target: `${node.name} to ${link}`, proof };
      } finally {
        proxy.heal();
      }
    },
  };
}

const PROBE_MS = 600;

/** Lets nothing pass, or nothing back, on a link to Redis. */
export function silenceRedis(how: 'blackhole' | 'halfOpen'): LinkFault['break'] {
  return async (proxy) => {
    proxy[how]();
    if ((await pingTimeMs(proxy)) !== undefined) throw new Error('Redis still answers through the link');
    return `Redis did not answer a PING through it within ${PROBE_MS} ms`;
  };
}

const LATENCY_MS = 150;
/** There and back; a timer of Node may fire a millisecond early. */
const SLOW_PING_MS = 2 * (LATENCY_MS - 1);

export const slowRedis: LinkFault['break'] = async (proxy) => {
  proxy.setLatencyMs(LATENCY_MS);
  const tookMs = await pingTimeMs(proxy, 5_000);
  if (tookMs === undefined || tookMs < SLOW_PING_MS)
    throw new Error(`a PING through the link took ${tookMs} ms`);
  return `a PING through it took ${tookMs} ms`;
};

export const resetLink: LinkFault['break'] = async (proxy) => {
  const broken = proxy.resetAll();
  if (broken === 0) throw new Error('there was no connection to reset');
  return `${broken} connections were reset`;
};

export const silencePostgres: LinkFault['break'] = async (proxy, databaseUrl) => {
  proxy.blackhole();
  const client = new pg.Client({ connectionString: databaseUrl, connectionTimeoutMillis: PROBE_MS });
  client.on('error', () => undefined);
  const connected = await client.connect().then(
    () => true,
    () => false,
  );
  void client.end().catch(() => undefined);
  if (connected) throw new Error('Postgres still answers through the link');
  return `Postgres did not answer through it within ${PROBE_MS} ms`;
};

/** Answers how long a PING takes through the proxy, connection included; `undefined` when it takes too long. */
async function pingTimeMs(proxy: TcpProxy, withinMs = PROBE_MS): Promise<number | undefined> {
  const redis = new Redis({ host: '127.0.0.1', port: proxy.port, retryStrategy: null });
  redis.on('error', () => undefined);
  try {
    await Promise.race([redis.ping(), delay(withinMs).then(() => Promise.reject(new Error('too long')))]);
    const started = performance.now();
    await redis.ping();
    return Math.round(performance.now() - started);
  } catch {
    return undefined;
  } finally {
    redis.disconnect();
  }
}
