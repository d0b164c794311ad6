import { expect, test } from 'vitest';
import { childEnvironment } from './child-environment.ts';

const environment = {
  PATH: '/bin',
  DATABASE_URL: 'postgres://u:secret@h/d',
  STRIPE_KEY: 'sk',
  MAIL_URL: 'smtp://h',
  HANDLER_ENV: 'STRIPE_KEY, MISSING',
};

test('an isolated handler sees what HANDLER_ENV names, and what the machine needs', () => {
  expect(childEnvironment(environment, true)).toEqual({ PATH: '/bin', STRIPE_KEY: 'sk' });
  expect(childEnvironment({ PATH: '/bin', STRIPE_KEY: 'sk' }, true)).toEqual({ PATH: '/bin' });
});

test.each(['HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY', 'NODE_OPTIONS'])(
  'it sees %s, which may carry a password, only where HANDLER_ENV names it',
  (name) => {
    const set = { PATH: '/bin', [name]: 'http://user:secret@proxy' };
    expect(childEnvironment(set, true)).toEqual({ PATH: '/bin' });
    expect(childEnvironment({ ...set, HANDLER_ENV: name }, true)).toEqual(set);
  },
);

test('one that is not isolated sees the same in a process of its own as in the worker', () => {
  expect(childEnvironment(environment, false)).toEqual(environment);
});
