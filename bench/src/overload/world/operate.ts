import { setTimeout as delay } from 'node:timers/promises';
import { request } from 'undici';
import type { Api } from '../../contenders/contender.ts';
import type { Sender } from '../load/mix.ts';

/** What is laid down is in force within a second, in every process. */
const IN_FORCE_AFTER_MS = 1_500;

/** Asks the API for something as an operator; throws unless it is done. */
async function ask<Answer>(api: Api, method: 'PATCH' | 'POST', path: string, body: object): Promise<Answer> {
  const url = new URL(path, api.url);
  const reply = await request(url, { method, headers: api.headers, body: JSON.stringify(body) });
  const text = await reply.body.text();
  if (reply.statusCode >= 300)
    throw new Error(`${method} ${path} was answered with ${reply.statusCode}: ${text}`);
  return JSON.parse(text);
}

/** Lays something down for a queue, a job type or a tenant, and waits until it is in force. */
export async function layDown(api: Api, path: string, rules: Record<string, number | null>): Promise<void> {
  await ask(api, 'PATCH', path, rules);
  await delay(IN_FORCE_AFTER_MS);
}

export interface Tenant extends Sender {
  id: string;
}

/** Adds a tenant with a key; `weight` says how much it sends, by comparison with others. */
export async function addTenant(
  api: Api,
  { name, weight }: Pick<Sender, 'name' | 'weight'>,
  rules: Record<string, number | null> = {},
): Promise<Tenant> {
  const { id } = await ask<{ id: string }>(api, 'POST', '/v1/tenants', { name, ...rules });
  const asked = { name, tenantId: id, scopes: ['jobs:write', 'jobs:read'] };
  const { key } = await ask<{ key: string }>(api, 'POST', '/v1/api-keys', asked);
  return { id, name, weight, headers: { ...api.headers, authorization: `Bearer ${key}` } };
}
