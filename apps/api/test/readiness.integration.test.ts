import { parseConfig } from '@accepted/shared/runtime/config/parse-config';
import { secretsKey } from '@accepted/testing/secrets-key';
import { createTestDatabase } from '@accepted/testing/test-database';
import { waitUntil } from '@accepted/testing/wait-until';
import type { KyselyPlugin } from 'kysely';
import { pino } from 'pino';
import { expect, test } from 'vitest';
import { buildApp } from '../src/app.ts';
import { configSchema } from '../src/config.ts';
import { closePools } from '../src/pools/pools.ts';
import { openTestPools } from './api-under-test.ts';

const CROWD = 500;

/** Counts what is sent to Postgres to see whether it takes writes. */
function countSigns(): { plugin: KyselyPlugin; count: () => number } {
  let count = 0;
  const plugin: KyselyPlugin = {
    transformQuery({ node }) {
      if (node.kind === 'RawNode' && node.sqlFragments.join('').includes('transaction_read_only')) count += 1;
      return node;
    },
    transformResult: async ({ result }) => result,
  };
  return { plugin, count: () => count };
}

test('a crowd that asks /readyz costs a statement or two, and a later one is told what is true then', async () => {
  await using database = await createTestDatabase();
  const { plugin, count } = countSigns();
  const config = parseConfig(configSchema, { DATABASE_URL: database.url, SECRETS_KEY: secretsKey });
  const opened = openTestPools(config);
  const pools = { ...opened, health: opened.health.withPlugin(plugin) };
  const app = await buildApp({ pools, logger: pino({ level: 'silent' }) }, config);
  const isReady = async () => (await app.inject('/readyz')).statusCode === 200;
  await waitUntil(isReady, { until: 'there is a connection' });

  const told = count();
  const startedAt = performance.now();
  const answers = await Promise.all(Array.from({ length: CROWD }, isReady));
  // One each time that the one before is no longer told.
  const most = 1 + (performance.now() - startedAt) / 100;
  expect(answers.every(Boolean)).toBe(true);
  expect(count() - told).toBeLessThanOrEqual(most);

  const before = count();
  await waitUntil(async () => (await isReady()) && count() > before, { until: 'Postgres is asked again' });
  await app.close();
  await closePools(opened);
});
