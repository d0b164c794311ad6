import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ApiUnderTest, countJobs, startApi } from './api-under-test.ts';

const JOBS = 40;
/** No two fit into one statement. */
const PAYLOAD_BYTES = 300_000;
/** Statements that may be under way when the callers of all others are told no. */
const UNDER_WAY = 6;

let api: ApiUnderTest;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api[Symbol.asyncDispose]());

test('while Postgres is slow, large jobs are not written after their callers were answered 503', async () => {
  await api.submit();
  const before = await countJobs(api.db);
  const { promise: mayEnd, resolve: release } = Promise.withResolvers<void>();
  const { promise: isLocked, resolve: locked } = Promise.withResolvers<void>();
  const locker = api.db.transaction().execute(async (tx) => {
    await sql`LOCK TABLE jobs IN SHARE MODE`.execute(tx);
    locked();
    await mayEnd;
  });
  await isLocked;
  const body = { type: 'test.echo', payload: { text: 'x'.repeat(PAYLOAD_BYTES) } };
  const replies = await Promise.all(
    Array.from({ length: JOBS }, () => api.send('POST', '/v1/jobs', { body })),
  );
  expect(replies.map((reply) => reply.statusCode)).toEqual(replies.map(() => 503));
  release();
  await locker;

  // A job that comes after all of these.
  await api.submit();
  expect(await countJobs(api.db)).toBeLessThanOrEqual(before + 1 + UNDER_WAY);
});
