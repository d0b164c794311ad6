import { setTimeout as delay } from 'node:timers/promises';
import type { Answer } from './judge/answer.ts';
import type { KeyName } from './request/fuzz-request.ts';

/** One request beside those that are counted. */
export interface FeedRequest {
  method: 'GET' | 'POST' | 'PATCH';
  target: string;
  body?: object;
  /** Whether the answer is to come when the job has ended. */
  waits?: boolean;
  key: KeyName;
}

/** Sends it and learns from the answer; throws when that is no good one. */
export type Ask = (request: FeedRequest) => Promise<Answer>;

const LISTS = ['/v1/queues', '/v1/job-types', '/v1/audit-log', '/v1/dead-letters', '/v1/jobs?limit=5'];
const FAILING = Array.from({ length: 5 }, (_, index) => ({
  type: 'fuzz.fail',
  payload: { how: 'for-good', message: `It broke, for the reason ${index}.` },
}));

const SUCCEEDING = Array.from({ length: 4 }, (_, index) => ({
  type: 'fuzz.echo',
  payload: { account: `account ${index}`, count: index },
  tags: ['fed'],
}));
const WAITING = Array.from({ length: 4 }, () => ({
  type: 'fuzz.wait',
  payload: { ms: 0 },
  delayMs: 3_600_000,
}));

/** Makes things that requests can be about, for both tenants: jobs in every status, open dead letters, a key, a slow bulk replay. */
export async function feed(ask: Ask): Promise<void> {
  if (await liftRules(ask)) await delay(IN_FORCE_WITHIN_MS);
  for (const key of ['other', 'all'] as const) {
    const submit = (body: object, waits = false) =>
      ask({ method: 'POST', target: '/v1/jobs', body, waits, key });
    await Promise.all(FAILING.map((job) => submit(job, true)));
    await Promise.all(SUCCEEDING.map((job) => submit(job, true)));
    await Promise.all(WAITING.map((job) => submit(job)));
    await ask({ method: 'POST', target: '/v1/api-keys', body: { name: 'fed', scopes: ['jobs:read'] }, key });
    await replaySlowly(ask, key);
    for (const target of LISTS) await ask({ method: 'GET', target, key });
    await submit({ type: 'fuzz.wait', payload: { ms: 3_000 } });
  }
}

/** What bounds a queue, a job type or a tenant, as far as each can have it; `null` where it is not laid down. */
const LIMITS = [
  'concurrency',
  'maxBacklog',
  'maxBacklogPerTenant',
  'ratePerSecond',
  'burst',
  'dailyQuota',
] as const;
const IN_FORCE_WITHIN_MS = 1_000;

interface RuledItem extends Partial<Record<(typeof LIMITS)[number], number | null>> {
  name?: string;
  type?: string;
  pausedAt: string | null;
}

/** Undoes what operators' requests have laid down: nothing runs of what is paused. Answers whether there was anything. */
async function liftRules(ask: Ask): Promise<boolean> {
  let isLifted = false;
  const read = async <Body>(target: string, key: KeyName): Promise<Body> =>
    JSON.parse((await ask({ method: 'GET', target, key })).text);
  const lift = async (target: string, item: RuledItem) => {
    const limits = LIMITS.filter((name) => typeof item[name] === 'number');
    const body = Object.fromEntries(limits.map((name) => [name, null]));
    if (item.pausedAt !== null) await ask({ method: 'POST', target: `${target}/resume`, key: 'all' });
    if (limits.length > 0) await ask({ method: 'PATCH', target, body, key: 'all' });
    isLifted ||= item.pausedAt !== null || limits.length > 0;
  };
  for (const list of ['/v1/queues', '/v1/job-types']) {
    const { data } = await read<{ data: RuledItem[] }>(list, 'all');
    for (const item of data) await lift(`${list}/${encodeURIComponent(item.type ?? item.name ?? '')}`, item);
  }
  for (const key of ['all', 'other'] as const) {
    const { data } = await read<{ data: { tenantId: string }[] }>('/v1/api-keys?limit=1', key);
    const target = `/v1/tenants/${data[0]?.tenantId}`;
    await lift(target, await read<RuledItem>(target, 'all'));
  }
  return isLifted;
}

/** A bulk replay that goes on for minutes, so that there is one to be canceled. */
async function replaySlowly(ask: Ask, key: KeyName): Promise<void> {
  const letters = await ask({ method: 'GET', target: '/v1/dead-letters?limit=3', key });
  const ids = (JSON.parse(letters.text) as { data: { id: string }[] }).data.map(({ id }) => id);
  const body = { ids, ratePerSecond: 0.01, reason: 'fed' };
  if (ids.length > 0) await ask({ method: 'POST', target: '/v1/dead-letters/replay', body, key });
}
