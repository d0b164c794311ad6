import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { newUuid } from '@accepted/shared/core/job/id';
import { registerBuild } from '@accepted/shared/ledger/workers/builds';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ApiUnderTest, startApi } from './api-under-test.ts';
import { die } from './dead-letters-under-test.ts';
import { ODD_JOB_TYPES } from './odd-job-types.ts';
import { writeReference } from './reference/write-reference.ts';

let api: ApiUnderTest;
let url: string;
beforeAll(async () => {
  api = await startApi();
  await registerBuild(api.db, {
    id: 'odd',
    types: ODD_JOB_TYPES.filter(({ type }) => type === 'http.request'),
  });
  url = await api.app.listen({ port: 0, host: '127.0.0.1' });
  // As at the start of the program: the first request should not wait for the first connection.
  await api.app.catalog.readFresh();
});
afterAll(async () => await api?.[Symbol.asyncDispose]());

test('docs/api.md says what the schemas say; `npx vitest run --project integration api-reference -u` writes it', async () => {
  await expect(writeReference(api.app.apiDocument())).toMatchFileSnapshot('../../../docs/api.md');
});

test('every example of docs/api.md can be pasted and does what it says', async () => {
  const examples = [...writeReference(api.app.apiDocument()).matchAll(/```sh\n(curl [^`]+)\n```/g)];
  expect(examples.length).toBeGreaterThan(20);
  for (const [, command = ''] of examples) {
    const { stdout } = await promisify(execFile)(
      'sh',
      ['-c', command.replace('http://localhost:3000', url)],
      {
        env: { PATH: process.env.PATH, KEY: api.key, ...(await makeThings(command)) },
      },
    );
    const [, status] = /^HTTP\/1.1 (\d+)/.exec(stdout) ?? [];
    // What ends before it begins, such as the bulk replay of nothing, conflicts with what is asked of it.
    expect([command, status]).toEqual([command, expect.stringMatching(/^(2\d\d|404|409)$/)]);
    if (status === '404') expect(stdout).toContain('"code":"job_not_finished"');
  }
});

/** Makes what the variables of an example stand for, anew for each: some of them end it. */
async function makeThings(command: string): Promise<Record<string, string>> {
  const made = (path: string, body: object) =>
    api.send('POST', path, { body }).then((reply) => reply.json().id as string);
  const things: Record<string, () => Promise<string> | string> = {
    JOB: () => api.submit(),
    DEAD_LETTER: () => die(api).then(({ id }) => id),
    BULK_REPLAY: () => made('/v1/dead-letters/replay', { filter: {} }),
    API_KEY_ID: () => made('/v1/api-keys', { name: 'thing', scopes: ['jobs:read'] }),
    QUEUE: () => 'default',
    JOB_TYPE: () => 'test.echo',
    TENANT: () => made('/v1/tenants', { name: newUuid() }),
    CODE: () => 'job_failed',
  };
  const named = Object.entries(things).filter(([name]) => command.includes(`$${name}`));
  return Object.fromEntries(await Promise.all(named.map(async ([name, make]) => [name, await make()])));
}
