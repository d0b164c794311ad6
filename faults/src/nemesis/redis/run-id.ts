import { waitUntil } from '@accepted/testing/wait-until';
import type { RunRedis } from '../../world/servers.ts';
import type { World } from '../../world/world.ts';

/** Where Redis keeps its append-only file, below its folder. */
export const APPEND_ONLY_FOLDER = 'appendonlydir';

export function redisOf({ redis }: World): RunRedis {
  if (!redis) throw new Error('this run has no Redis');
  return redis;
}

/** Answers what names one start of Redis. */
export async function runId({ client }: RunRedis): Promise<string> {
  return /run_id:(\w{8})/.exec(await client.info('server'))?.[1] ?? '';
}

export function newRunId(redis: RunRedis, before: string): Promise<string> {
  const changed = async () => {
    const id = await runId(redis);
    return id === before ? undefined : id;
  };
  return waitUntil(changed, { until: 'Redis answers under another run id' });
}
