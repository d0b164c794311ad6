import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parsePublicId } from '@accepted/shared/core/job/id';
import { webhookSecrets } from '@accepted/shared/ledger/tenants/tenants';
import { secretBox, secretsKey } from '@accepted/testing/secrets-key';
import { spawnProcess } from '@accepted/testing/spawn-process';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ApiUnderTest, startApi } from '../../apps/api/test/api-under-test.ts';
import { ROOT, readPage } from './pages.ts';

let api: ApiUnderTest;
beforeAll(async () => {
  api = await startApi();
});
afterAll(async () => await api[Symbol.asyncDispose]());

/** Runs what the page says, without npm around it; answers what was printed, by what stands before the colon. */
async function followThePage(settings: Record<string, string> = {}) {
  const code = readPage('docs/keys-and-tenants.md').code.map(({ text }) => text);
  const [, script = '', name = ''] = code.join('\n').match(/^npm run (add-tenant) -- (\w+)$/m) ?? [];
  const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  const file = scripts[script]?.replace('node scripts/run.mjs ', '') ?? '';
  const env = { DATABASE_URL: api.url, SECRETS_KEY: secretsKey, ...settings };
  await using added = spawnProcess(file, { args: [name], env });
  const { code: exitCode } = await added.exited;
  const shown = Object.fromEntries(added.lines.map((line) => line.split(': ')));
  return { exitCode, name, lines: added.lines, shown };
}

const tenantNames = async () =>
  (await api.db.selectFrom('tenants').select('name').orderBy('name').execute()).map(({ name }) => name);

test('a tenant that is added as the page says has a key that works at once, sees its own alone, and gives away nothing beyond', async () => {
  const jobOfDefault = await api.submit();
  const { exitCode, shown } = await followThePage();
  expect(exitCode).toBe(0);

  const key = shown['API key'];
  const body = { type: 'test.echo', payload: {} };
  const accepted = await api.send('POST', '/v1/jobs', { key, body });
  expect(accepted.statusCode).toBe(202);
  const jobs = (await api.send('GET', '/v1/jobs', { key })).json().data;
  expect(jobs.map(({ id }: { id: string }) => id)).toEqual([accepted.json().id]);
  expect((await api.send('GET', `/v1/jobs/${jobOfDefault}`, { key })).statusCode).toBe(404);

  const made = await api.send('POST', '/v1/api-keys', { key, body: { name: 'a', scopes: ['jobs:read'] } });
  expect(made.statusCode).toBe(201);
  for (const scope of ['metrics', 'operator']) {
    const beyond = await api.send('POST', '/v1/api-keys', { key, body: { name: 'b', scopes: [scope] } });
    expect([scope, beyond.statusCode]).toEqual([scope, 403]);
  }
  expect((await api.send('GET', '/metrics', { key })).statusCode).toBe(403);
  const actors = (await api.send('GET', '/v1/audit-log', { key })).json().data;
  expect(actors.map(({ actor }: { actor: string }) => actor)).toEqual([
    expect.any(String),
    'add-tenant',
    'add-tenant',
  ]);

  const tenantId = parsePublicId('tenant', shown.Tenant) ?? '';
  expect(await webhookSecrets(api.db, secretBox, tenantId)).toEqual([shown['Webhook secret']]);
});

test('a name that is taken, and a setting that is missing, are told in words and add nothing', async () => {
  const before = await tenantNames();
  const { exitCode, name, lines } = await followThePage();
  expect(before).toContain(name);
  expect({ exitCode, lines }).toEqual({
    exitCode: 1,
    lines: [`There is a tenant with the name ${name} already.`],
  });
  const unset = await followThePage({ SECRETS_KEY: '' });
  expect(unset.exitCode).toBe(1);
  expect(unset.lines.join('\n')).toContain('SECRETS_KEY');
  expect(await tenantNames()).toEqual(before);
});
