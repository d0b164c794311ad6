import { fileURLToPath } from 'node:url';
import { defineJob } from '@accepted/job';
import { parseConfig } from '@accepted/shared/runtime/config/parse-config';
import { secretsKey } from '@accepted/testing/secrets-key';
import { afterEach, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { configSchema, readConfig } from './config.ts';
import { attempt, loaded } from './handlers/testing/attempt.ts';

const env = { DATABASE_URL: 'postgres://me@db/accepted', SECRETS_KEY: secretsKey };

test.each([
  [{ LEASE_MS: '8999' }, 'LEASE_MS is "8999": expected at least 9000,'],
  [{ HEARTBEAT_MS: '15000' }, 'LEASE_MS is not set: expected at least 45000,'],
])('a lease that heartbeats cannot hold is refused with what to do: %j', (times, sentence) => {
  expect(() => parseConfig(configSchema, { ...env, ...times })).toThrow(sentence);
});

afterEach(() => vi.unstubAllEnvs());

test('the key of the secrets leaves the environment at the start, so that a handler in this process does not see it', async () => {
  const look = defineJob({
    type: 'test.look',
    payload: z.unknown(),
    run: () => Object.keys(process.env).filter((name) => ['SECRETS_KEY', 'UNRELATED'].includes(name)),
  });
  vi.stubEnv('DATABASE_URL', env.DATABASE_URL);
  vi.stubEnv('SECRETS_KEY', env.SECRETS_KEY);
  vi.stubEnv('UNRELATED', 'stays');
  expect(readConfig().SECRETS_KEY).toHaveLength(1);
  expect(await attempt(loaded(look))).toEqual({ kind: 'returned', resultJson: '["UNRELATED"]' });
});

test.each([
  'DATABASE_URL',
  'REDIS_URL',
  'SECRETS_KEY',
  'BOOTSTRAP_API_KEY',
  'BOOTSTRAP_WEBHOOK_SECRET',
  'ADMIN_PASSWORD',
])('HANDLER_ENV gives handlers none of our own credentials: %s', (name) => {
  const parse = () => parseConfig(configSchema, { ...env, HANDLER_ENV: `STRIPE_KEY, ${name}` });
  expect(parse).toThrow(
    `HANDLER_ENV is "STRIPE_KEY, ${name}": expected names of what handlers need, and none of Accepted's own credentials`,
  );
});

test('a JOBS_DIR that Accepted lies in is refused where handlers may read nothing else', () => {
  const holding = fileURLToPath(new URL('../../..', import.meta.url));
  const parse = (HANDLER_PERMISSIONS: string, JOBS_DIR: string) =>
    parseConfig(configSchema, { ...env, HANDLER_PERMISSIONS, JOBS_DIR });
  for (const folder of ['/', holding]) {
    expect(() => parse('on', folder)).toThrow('expected a folder that Accepted itself does not lie in');
    expect(parse('off', folder)).toMatchObject({ HANDLER_PERMISSIONS: 'off' });
  }
  expect(parse('on', `${holding}/examples/jobs`)).toMatchObject({ HANDLER_PERMISSIONS: 'on' });
});

test('a lease of three heartbeats is taken', () => {
  const times = { LEASE_MS: '3000', HEARTBEAT_MS: '1000' };
  expect(parseConfig(configSchema, { ...env, ...times })).toMatchObject({
    LEASE_MS: 3_000,
    HEARTBEAT_MS: 1_000,
  });
});
