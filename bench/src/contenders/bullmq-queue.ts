import type { Redis } from 'ioredis';
import type { Payload } from '../payload.ts';
import type { Outcome } from './contender.ts';
import { QUEUE } from './settings.ts';

const key = (name: string) => `bull:${QUEUE}:${name}`;

/** Counts the jobs that BullMQ has not finished, by the lengths of its lists. */
export async function countUnfinishedInRedis(redis: Redis): Promise<number> {
  const replies = await redis.multi().llen(key('wait')).llen(key('active')).exec();
  return (replies ?? []).reduce((sum, [, length]) => sum + Number(length), 0);
}

/** Reads when BullMQ finished its jobs: the worker's clock, a moment before Redis has it. */
export async function listOutcomesInRedis(redis: Redis): Promise<Outcome[]> {
  const finished = await redis.zrange(key('completed'), 0, -1, 'WITHSCORES');
  const ids = finished.filter((_, index) => index % 2 === 0);
  const pipeline = redis.pipeline();
  for (const id of ids) pipeline.hget(key(id), 'data');
  const data = (await pipeline.exec()) ?? [];
  return ids.map((_, index) => {
    const payload: Payload = JSON.parse(String(data[index]?.[1]));
    return { n: payload.n, at: Number(finished[2 * index + 1]) };
  });
}
