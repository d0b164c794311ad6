import { gateOf } from '@accepted/shared/core/fairness/gates';
import { parsePublicId } from '@accepted/shared/core/job/id';
import { type DispatchRules, readDispatchRules } from '@accepted/shared/ledger/limits/dispatch-rules';
import { TENANT_SCOPES } from '@accepted/shared/ledger/tenants/api-keys';
import { TEST_BUILD } from '@accepted/testing/test-build';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ApiUnderTest, startApi } from './api-under-test.ts';

let api: ApiUnderTest;
let tenant: string;
beforeAll(async () => {
  api = await startApi();
  tenant = (await api.send('POST', '/v1/tenants', { body: { name: 'ruled' } })).json().id;
});
afterAll(async () => await api[Symbol.asyncDispose]());

const limitOf = (limits: readonly { name: string; most: number }[], name: string) =>
  limits.find((limit) => limit.name === name)?.most ?? null;
const uuidOfTenant = () => parsePublicId('tenant', tenant) ?? '';

interface Thing {
  url(): string;
  target(): string;
  /** What dispatchers read of its limit, and the gate that its pause closes. */
  limit(rules: DispatchRules): number | null;
  gate(): string;
}

const THINGS: [name: string, thing: Thing][] = [
  [
    'a queue',
    {
      url: () => '/v1/queues/default',
      target: () => 'default',
      limit: ({ queueLimit }) => queueLimit,
      gate: gateOf.queue,
    },
  ],
  [
    'a job type',
    {
      url: () => '/v1/job-types/test.echo',
      target: () => 'test.echo',
      limit: ({ limits }) => limitOf(limits.type, 'test.echo'),
      gate: () => gateOf.type('test.echo'),
    },
  ],
  [
    'a tenant',
    {
      url: () => `/v1/tenants/${tenant}`,
      target: () => tenant,
      limit: ({ limits }) => limitOf(limits.tenant, uuidOfTenant()),
      gate: () => gateOf.tenant(uuidOfTenant()),
    },
  ],
];

const inForce = () => readDispatchRules(api.db, 'default', [TEST_BUILD]);

async function entriesOf(target: string) {
  const { data } = (await api.send('GET', `/v1/audit-log?target=${target}&limit=100`)).json();
  return data as { action: string; reason: string; actor: string; detail: object }[];
}

describe.each(THINGS)('%s', (name, { url, target, limit, gate }) => {
  test('is limited and lifted, what is left out stays, and dispatchers read it', async () => {
    const change = (body: object) => api.send('PATCH', url(), { body });
    const limited = await change({ concurrency: 3, reason: 'a small bank' });
    expect([limited.statusCode, limited.json()]).toEqual([200, expect.objectContaining({ concurrency: 3 })]);
    expect((await api.send('GET', url())).json()).toEqual(limited.json());
    expect(limit(await inForce())).toBe(3);

    expect((await change({})).json().concurrency).toBe(3);
    expect((await change({ concurrency: 3 })).json().concurrency).toBe(3);
    expect((await change({ concurrency: null })).json().concurrency).toBeNull();
    expect(limit(await inForce())).toBeNull();

    const changes = (await entriesOf(target())).filter(({ action }) => action.endsWith('.change'));
    expect(changes).toEqual([
      expect.objectContaining({ reason: 'none was given', actor: expect.stringMatching(/^key_/) }),
      expect.objectContaining({
        reason: 'a small bank',
        detail: {
          before: expect.objectContaining({ concurrency: null }),
          after: expect.objectContaining({ concurrency: 3 }),
        },
      }),
    ]);
  });

  test('is paused until it is resumed; doing so again changes nothing and is not written down', async () => {
    const send = (verb: string, body?: object) => api.send('POST', `${url()}/${verb}`, body && { body });
    const paused = await send('pause', { reason: 'the bank is closed' });
    expect([paused.statusCode, paused.json().pausedAt]).toEqual([200, expect.any(String)]);
    expect((await send('pause')).json().pausedAt).toBe(paused.json().pausedAt);
    expect((await api.send('GET', url())).json().pausedAt).toBe(paused.json().pausedAt);
    expect([...(await inForce()).paused]).toEqual([gate()]);

    expect((await send('resume')).json().pausedAt).toBeNull();
    expect((await send('resume')).json().pausedAt).toBeNull();
    expect((await inForce()).paused.size).toBe(0);
    const acts = (await entriesOf(target())).map(({ action, reason }) => [action.split('.')[1], reason]);
    expect(acts.slice(0, 2)).toEqual([
      ['resume', 'none was given'],
      ['pause', 'the bank is closed'],
    ]);
    expect(acts.filter(([verb]) => verb === 'pause' || verb === 'resume')).toHaveLength(2);
  });

  test.each([
    [{ concurrency: 0 }, '/concurrency'],
    [{ concurrency: 2.5 }, '/concurrency'],
    [{ concurrency: '3' }, '/concurrency'],
    [{ concurrency: 1_000_001 }, '/concurrency'],
    [{ reason: '' }, '/reason'],
    [{ pausedAt: null }, '/pausedAt'],
  ])('is not changed by %j', async (body, pointer) => {
    const before = (await api.send('GET', url())).json();
    const reply = await api.send('PATCH', url(), { body });
    expect([
      reply.statusCode,
      reply.json().errors.map((fault: { pointer: string }) => fault.pointer),
    ]).toEqual([422, [pointer]]);
    expect((await api.send('GET', url())).json()).toEqual(before);
  });

  test('is for operators', async () => {
    const made = await api.send('POST', '/v1/api-keys', { body: { name, scopes: [...TENANT_SCOPES] } });
    for (const [method, path] of [
      ['PATCH', url()],
      ['POST', `${url()}/pause`],
      ['POST', `${url()}/resume`],
    ] as const) {
      const reply = await api.send(method, path, { key: made.json().key, body: {} });
      expect([reply.statusCode, reply.json().requiredScope]).toEqual([403, 'operator']);
    }
  });
});

test.each([
  ['/v1/queues/nope', 'queue_not_found'],
  ['/v1/job-types/nope', 'job_type_not_found'],
  ['/v1/tenants/ten_01m80wvd14etfbnycmvzp2r688', 'tenant_not_found'],
  ['/v1/tenants/nope', 'tenant_not_found'],
])('%s is 404, and nothing is laid down for it', async (url, code) => {
  const replies = [
    await api.send('GET', url),
    await api.send('PATCH', url, { body: { concurrency: 1 } }),
    await api.send('POST', `${url}/pause`),
    await api.send('POST', `${url}/resume`),
  ];
  expect(replies.map((reply) => [reply.statusCode, reply.json().code])).toEqual(
    replies.map(() => [404, code]),
  );
  expect((await inForce()).paused.size).toBe(0);
});

test('two who change different things at once both have their way', async () => {
  const url = `/v1/tenants/${tenant}`;
  await Promise.all([
    api.send('PATCH', url, { body: { weight: 2.5 } }),
    api.send('PATCH', url, { body: { concurrency: 7 } }),
    api.send('POST', `${url}/pause`),
  ]);
  expect((await api.send('GET', url)).json()).toMatchObject({
    weight: 2.5,
    concurrency: 7,
    pausedAt: expect.any(String),
  });
});
