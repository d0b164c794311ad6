import { secretsKey } from '@accepted/testing/secrets-key';
import { expect, test, vi } from 'vitest';
import { readConfig } from './config.ts';

test('the key of the secrets leaves the environment at the start', () => {
  vi.stubEnv('DATABASE_URL', 'postgres://me@db/accepted');
  vi.stubEnv('SECRETS_KEY', secretsKey);
  expect(readConfig().SECRETS_KEY).toHaveLength(1);
  expect(process.env).not.toHaveProperty('SECRETS_KEY');
  vi.unstubAllEnvs();
});
