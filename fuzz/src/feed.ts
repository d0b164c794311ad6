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
  await liftRules(ask);
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

interface RuledItem {
  name?: string;
  type?: string;
  pausedAt: string | null;
  concurrency: number | null;
}

/** Undoes what operators' requests have laid down: nothing runs of what is paused. */
async function liftRules(ask: Ask): Promise<void> {
  const read = async <Body>(target: string, key: KeyName): Promise<Body> =>
    JSON.parse((await ask({ method: 'GET', target, key })).text);
  const lift = async (target: string, { pausedAt, concurrency }: RuledItem) => {
    if (pausedAt !== null) await ask({ method: 'POST', target: `${target}/resume`, key: 'all' });
    if (concurrency !== null) await ask({ method: 'PATCH', target, body: { concurrency: null }, key: 'all' });
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
}

/** A bulk replay that goes on for minutes, so that there is one to be canceled. */
async function replaySlowly(ask: Ask, key: KeyName): Promise<void> {
  const letters = await ask({ method: 'GET', target: '/v1/dead-letters?limit=3', key });
  const ids = (JSON.parse(letters.text) as { data: { id: string }[] }).data.map(({ id }) => id);
  const body = { ids, ratePerSecond: 0.01, reason: 'fed' };
  if (ids.length > 0) await ask({ method: 'POST', target: '/v1/dead-letters/replay', body, key });
}
