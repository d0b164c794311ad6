import { expect, test } from 'vitest';
import { z } from 'zod';
import { ConfigError, parseConfig } from './parse-config.ts';
import { databaseUrl, logLevel, privateNetworks, redisUrl, secret, wholeNumber } from './settings.ts';

const schema = z.object({
  DATABASE_URL: databaseUrl,
  REDIS_URL: redisUrl,
  PORT: wholeNumber({ min: 1, max: 65_535, default: 8080 }),
  LEASE_MS: wholeNumber({ min: 1_000, max: 60_000, default: 15_000, unit: 'milliseconds' }),
  LOG_LEVEL: logLevel,
  ALLOW_PRIVATE_NETWORKS: privateNetworks,
  ADMIN_PASSWORD: secret(8),
});

const DATABASE_URL = 'postgres://me:word@db/accepted';

test('settings are converted, defaulted and frozen, and other variables are left out', () => {
  const config = parseConfig(schema, {
    DATABASE_URL,
    PORT: '9000',
    ALLOW_PRIVATE_NETWORKS: '127.0.0.0/8, ::1/128',
    HOME: '/root',
  });

  expect(config).toEqual({
    DATABASE_URL,
    PORT: 9000,
    LEASE_MS: 15_000,
    LOG_LEVEL: 'info',
    ALLOW_PRIVATE_NETWORKS: ['127.0.0.0/8', '::1/128'],
  });
  expect(Object.isFrozen(config)).toBe(true);
});

test('a variable set to nothing counts as not set', () => {
  expect(parseConfig(schema, { DATABASE_URL, PORT: '', REDIS_URL: '' })).toMatchObject({ PORT: 8080 });
});

test('all faults are reported at once, with what was expected', () => {
  const env = { PORT: '70000', LEASE_MS: '5s', LOG_LEVEL: 'loud', ALLOW_PRIVATE_NETWORKS: '10.0.0.0' };

  expect(faultsOf(env)).toEqual([
    ['DATABASE_URL', 'not set', expect.stringContaining('postgres://')],
    ['PORT', '"70000"', 'a whole number from 1 to 65535'],
    ['LEASE_MS', '"5s"', 'a whole number of milliseconds from 1000 to 60000'],
    ['LOG_LEVEL', '"loud"', expect.stringContaining('debug')],
    ['ALLOW_PRIVATE_NETWORKS', '"10.0.0.0"', expect.stringContaining('CIDR')],
  ]);
});

test.each([
  ['a secret', { ADMIN_PASSWORD: 'hunter2' }],
  ['the password of a URL', { REDIS_URL: 'http://me:hunter2@cache' }],
  ['the password of a broken URL', { DATABASE_URL: 'postgres//me:hunter2@db' }],
  ['a password with an @', { REDIS_URL: 'http://me:p@hunter2@cache' }],
])('a message never shows %s', (_, env) => {
  expect(messageOf({ DATABASE_URL, ...env })).not.toContain('hunter2');
});

test.each(['0x10', '1e3', '-1', '8080.5', ' ', 'NaN'])('%j is not a whole number', (PORT) => {
  expect(faultsOf({ DATABASE_URL, PORT })).toHaveLength(1);
});

function faultsOf(env: Record<string, string>): string[][] {
  return errorOf(env).faults.map(({ name, value, expected }) => [name, value, expected]);
}

function messageOf(env: Record<string, string>): string {
  return errorOf(env).message;
}

function errorOf(env: Record<string, string>): ConfigError {
  try {
    parseConfig(schema, env);
  } catch (error) {
    if (error instanceof ConfigError) return error;
  }
  throw new Error('The configuration was taken although it is wrong');
}
