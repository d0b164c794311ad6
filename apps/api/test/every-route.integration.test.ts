import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { parsePublicId, publicId } from '@accepted/shared/core/job/id';
import { createApiKey, SCOPES, type Scope } from '@accepted/shared/ledger/tenants/api-keys';
import type { FastifyInstance } from 'fastify';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ApiUnderTest, createOtherTenant, runJob, startApi } from './api-under-test.ts';

interface FoundRoute {
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  url: string;
  scope: Scope | undefined;
  orScope: Scope | undefined;
}

/** All routes of the app, those too that OpenAPI does not show. */
const found: FoundRoute[] = [];
let api: ApiUnderTest;
beforeAll(async () => {
  subscribe('fastify.initialization', collectRoutes);
  api = await startApi({ ADMIN_PASSWORD: 'a password of the test' });
  unsubscribe('fastify.initialization', collectRoutes);
});
afterAll(async () => await api[Symbol.asyncDispose]());

function collectRoutes(message: unknown): void {
  const { fastify } = message as { fastify: FastifyInstance };
  fastify.addHook('onRoute', ({ method, url, config }) => {
    for (const verb of [method].flat()) {
      if (verb !== 'HEAD')
        found.push({ method: verb as 'GET', url, scope: config?.scope, orScope: config?.orScope });
    }
  });
}

const tenantRoutes = () => found.filter(({ url }) => url.startsWith('/v1/'));
/** Those of a tenant's things; what operators alone may reach is no tenant's. */
const routesWithId = () =>
  tenantRoutes().filter(({ url, scope }) => url.includes(':id') && scope !== 'operator');
const nameOf = ({ method, url }: FoundRoute) => `${method} ${url}`;

/** Makes what the id in a route's path names, for the tenant of the test, and answers its public id. */
const THINGS: Record<string, () => Promise<string>> = {
  '/v1/jobs/:id': () => api.submit(),
  '/v1/api-keys/:id': async () => {
    const request = { tenantId: api.tenantId, name: 'thing', scopes: ['admin'] as Scope[], actor: 'test' };
    return publicId('apiKey', (await createApiKey(api.db, request)).row.id);
  },
  '/v1/dead-letters/:id': makeDeadLetter,
  '/v1/bulk-replays/:id': async () => {
    const body = { ids: [await makeDeadLetter()], reason: 'test' };
    const reply = await api.send('POST', '/v1/dead-letters/replay', { body });
    if (reply.statusCode !== 202) throw new Error(`There is no bulk replay: ${reply.body}`);
    return reply.json().id;
  },
};

async function makeDeadLetter(): Promise<string> {
  const job = await api.submit();
  const error = { code: 'broken', message: 'It broke.', retryable: false };
  await runJob(api.db, job, { kind: 'deadLetter', reason: 'permanent_error', error });
  const letters = api.db.selectFrom('dead_letters').select('id');
  const letter = letters.where('job_id', '=', parsePublicId('job', job) ?? '');
  return publicId('deadLetter', (await letter.executeTakeFirstOrThrow()).id);
}

async function pathToOurs(url: string): Promise<string> {
  const thing = Object.keys(THINGS).find((prefix) => url === prefix || url.startsWith(`${prefix}/`));
  const make = thing && THINGS[thing];
  if (!make) throw new Error(`Say in THINGS what the id of ${url} names.`);
  return url.replace(':id', await make());
}

/** Sends what the route takes; an empty object is a valid body of every action. */
const call = async ({ method }: FoundRoute, path: string, key?: string | null) =>
  await api.send(method, path, {
    ...(key !== undefined && { key }),
    ...((method === 'POST' || method === 'PATCH') && { body: {} }),
  });

test('every route is under /v1, or known to be open to whoever asks', () => {
  const open = new Set(found.map(({ url }) => url).filter((url) => !url.startsWith('/v1/')));

  const known = ['/', '/livez', '/metrics', '/openapi.json', '/problems', '/problems/:code', '/readyz'];
  expect([...open].filter((url) => !/^\/(docs|admin)(\/|$)/.test(url) && !known.includes(url))).toEqual([]);
  expect(tenantRoutes().length).toBeGreaterThan(10);
});

describe('every route under /v1', () => {
  test('names a scope', () => {
    const without = tenantRoutes().filter(({ scope }) => scope === undefined || !SCOPES.includes(scope));
    expect(without.map(nameOf)).toEqual([]);
  });

  test('answers 401 without a key', async () => {
    for (const route of tenantRoutes()) {
      const reply = await call(route, route.url, null);
      expect([nameOf(route), reply.statusCode, reply.json().code]).toEqual([
        nameOf(route),
        401,
        'unauthenticated',
      ]);
    }
  });

  test('answers 403 to a key that has every scope but its own, or its two', async () => {
    for (const route of tenantRoutes()) {
      const scopes = SCOPES.filter((scope) => scope !== route.scope && scope !== route.orScope);
      const request = { tenantId: api.tenantId, name: 'lacks one', scopes, actor: 'test' };
      const reply = await call(route, route.url, (await createApiKey(api.db, request)).text);
      expect([nameOf(route), reply.statusCode, reply.json().code]).toEqual([
        nameOf(route),
        403,
        'missing_scope',
      ]);
    }
  });
});

describe('every route with an id', () => {
  test("answers 404 for another tenant's, as if it were not there, and does not for one's own", async () => {
    const stranger = await createOtherTenant(api.db);
    for (const route of routesWithId()) {
      const path = await pathToOurs(route.url);
      const refused = await call(route, path, stranger);
      expect([nameOf(route), refused.statusCode]).toEqual([nameOf(route), 404]);
      const noSuchThing = await call(route, await pathToNobodys(route.url), stranger);
      expect({ ...refused.json(), requestId: '' }).toEqual({ ...noSuchThing.json(), requestId: '' });

      const own = await call(route, path);
      expect(own.body, nameOf(route)).not.toContain(`"code":"${refused.json().code}"`);
    }
  });

  async function pathToNobodys(url: string): Promise<string> {
    const path = await pathToOurs(url);
    return path.replace(/_[0-9a-z]{26}/, '_01m80wvd14etfbnycmvzp2r688');
  }
});

test('every route with an id goes through the policies: where they hide a row, it is not there', async () => {
  await using hidden = await startApi();
  const paths = new Map<string, string>();
  const before = api;
  api = hidden;
  try {
    for (const route of routesWithId()) paths.set(nameOf(route), await pathToOurs(route.url));
    for (const table of [
      'jobs',
      'ready',
      'blocked',
      'due',
      'in_flight',
      'dead_letters',
      'api_keys',
      'bulk_replays',
    ]) {
      await sql`ALTER POLICY tenant_isolation ON ${sql.table(table)} USING (false)`.execute(hidden.db);
    }
    for (const route of routesWithId()) {
      const reply = await call(route, paths.get(nameOf(route)) ?? '');
      expect([nameOf(route), reply.statusCode]).toEqual([nameOf(route), 404]);
    }
  } finally {
    api = before;
  }
});
