import { createTestDatabase } from '@accepted/testing/test-database';
import { createTestRedis } from '@accepted/testing/test-redis';
import { Redis } from 'ioredis';
import pg from 'pg';
import { expect, test } from 'vitest';
import { startCountingRelay } from './counting-relay.ts';
import type { Traffic } from './traffic.ts';

const since = (before: Traffic, after: Traffic): Traffic => ({
  commands: after.commands - before.commands,
  roundTrips: after.roundTrips - before.roundTrips,
});

test('statements and round trips to Postgres are counted as they were made', async () => {
  await using database = await createTestDatabase();
  await using relay = await startCountingRelay(database.url);
  const client = new pg.Client({ connectionString: relay.url });
  await client.connect();
  const before = relay.read();

  await client.query('BEGIN; SET LOCAL statement_timeout = 0; SELECT 1');
  await client.query('SELECT repeat($1, 200000)', ['x']);
  await client.query('COMMIT');

  expect(since(before, relay.read())).toEqual({ commands: 5, roundTrips: 3 });
  await client.end();
});

test('commands to Redis are counted one by one, and a pipeline as one round trip', async () => {
  await using server = await createTestRedis();
  await using relay = await startCountingRelay(server.url);
  const redis = new Redis(relay.url);
  await redis.ping();
  const before = relay.read();

  await redis.set('key', 'x'.repeat(200_000));
  await redis.pipeline().get('key').get('key').get('key').exec();

  expect(since(before, relay.read())).toEqual({ commands: 4, roundTrips: 2 });
  redis.disconnect();
});
