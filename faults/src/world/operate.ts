import { setTimeout as delay } from 'node:timers/promises';
import { TENANT_SCOPES } from '@accepted/shared/ledger/tenants/api-keys';
import { waitUntil } from '@accepted/testing/wait-until';
import type { World } from './world.ts';

const ANSWERS_WITHIN_MS = 3_000;
const DONE_WITHIN_MS = 30_000;
/** Within a second what operators lay down holds everywhere; whoever was about to claim may need a moment more. */
const IN_FORCE_AFTER_MS = 1_500;

/** Asks one API as an operator; answers what it said, or `undefined` when it did not do it. */
async function ask(
  { apiKey }: World,
  url: string,
  { method, path, body }: { method: 'GET' | 'POST' | 'PATCH'; path: string; body?: object },
): Promise<unknown> {
  const reply = await fetch(url + path, {
    method,
    headers: { authorization: `Bearer ${apiKey}`, ...(body && { 'content-type': 'application/json' }) },
    ...(body && { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(ANSWERS_WITHIN_MS),
  }).catch(() => undefined);
  return reply?.ok ? await reply.json() : undefined;
}

/** Has any API do something, however often it has to be asked; answers what it said. */
export async function operate<Answer = unknown>(
  world: World,
  method: 'POST' | 'PATCH',
  path: string,
  body?: object,
): Promise<Answer> {
  let turn = 0;
  const answer = () =>
    ask(world, world.apiUrls[turn++ % world.apiUrls.length] ?? '', { method, path, ...(body && { body }) });
  const said = await waitUntil(answer, { until: `${method} ${path} is done`, timeoutMs: DONE_WITHIN_MS });
  return said as Answer;
}

/** Waits until every API has something at a path. */
export async function untilAllHave(world: World, path: string): Promise<void> {
  for (const url of world.apiUrls)
    await waitUntil(() => ask(world, url, { method: 'GET', path }), {
      until: `${url} has ${path}`,
      timeoutMs: DONE_WITHIN_MS,
    });
}

/** Waits until what was laid down is in force in every process. */
export async function untilInForce(): Promise<void> {
  await delay(IN_FORCE_AFTER_MS);
}

/** Bounds how many jobs of a queue or a type are in flight at once; resolves when that is in force. */
export async function layDownConcurrency(
  world: World,
  path: string,
  concurrency: number | null,
): Promise<void> {
  await operate(world, 'PATCH', path, { concurrency });
  await untilInForce();
}

/** Makes a tenant as an operator does, with these rules; answers an API key of it. */
export async function makeTenant(world: World, name: string, rules: object): Promise<string> {
  const { id } = await operate<{ id: string }>(world, 'POST', '/v1/tenants', { name, ...rules });
  const asked = { name, scopes: [...TENANT_SCOPES], tenantId: id };
  return (await operate<{ key: string }>(world, 'POST', '/v1/api-keys', asked)).key;
}
