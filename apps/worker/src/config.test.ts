import { parseConfig } from '@accepted/shared/runtime/config/parse-config';
import { secretsKey } from '@accepted/testing/secrets-key';
import { expect, test } from 'vitest';
import { configSchema } from './config.ts';

const env = { DATABASE_URL: 'postgres://me@db/accepted', SECRETS_KEY: secretsKey };

test.each([
  [{ LEASE_MS: '8999' }, 'LEASE_MS is "8999": expected at least 9000,'],
  [{ HEARTBEAT_MS: '15000' }, 'LEASE_MS is not set: expected at least 45000,'],
])('a lease that heartbeats cannot hold is refused with what to do: %j', (times, sentence) => {
  expect(() => parseConfig(configSchema, { ...env, ...times })).toThrow(sentence);
});

test('a lease of three heartbeats is taken', () => {
  const times = { LEASE_MS: '3000', HEARTBEAT_MS: '1000' };
  expect(parseConfig(configSchema, { ...env, ...times })).toMatchObject({
    LEASE_MS: 3_000,
    HEARTBEAT_MS: 1_000,
  });
});
