import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ApiUnderTest, createOtherTenant, startApi } from './api-under-test.ts';

const CROWD = 400;

let api: ApiUnderTest;
let other: string;
beforeAll(async () => {
  api = await startApi();
  other = await createOtherTenant(api.db);
});
afterAll(() => api[Symbol.asyncDispose]());

test('of two tenants that read at once, the one with one request is not behind the crowd', async () => {
  const answered: string[] = [];
  const ask = async (name: string, key: string) => {
    const reply = await api.send('GET', '/v1/jobs?limit=1', { key });
    expect(reply.statusCode).toBe(200);
    answered.push(name);
  };
  // Whoever comes first has its key looked up.
  await Promise.all([ask('first', api.key), ask('first', other)]);
  answered.length = 0;
  const crowd = Array.from({ length: CROWD }, () => ask('crowd', api.key));
  await Promise.all([...crowd, ask('one', other)]);
  expect(answered.indexOf('one')).toBeLessThan(CROWD / 2);
});
