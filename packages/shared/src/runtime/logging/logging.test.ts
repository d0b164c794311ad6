import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { describeError } from './describe-error.ts';
import { strikeOut } from './strike-out.ts';

const PASSWORD = 'p@ss/word "quoted" ä';

describe('strikeOut', () => {
  const strike = strikeOut([
    `postgres://me:${encodeURIComponent(PASSWORD)}@db:5432/accepted`,
    'correct horse battery',
    undefined,
    'short',
  ]);

  test.each([
    ['a password as it is', PASSWORD],
    ['a password in a URL', `postgres://me:${encodeURIComponent(PASSWORD)}@db`],
    ['a secret of its own', 'correct horse battery'],
    ['a password of a URL that it was not told', 'redis://:unknown-word@cache:6379'],
    ['an API key', `acc_01m80wvd14etfbnycmvzp2r688_${'ab'.repeat(32)}`],
    ['a webhook secret', `whsec_${Buffer.alloc(32, 7).toString('base64')}`],
    ['an Authorization header', 'authorization: Basic dXNlcjpwYXNz'],
    ['a session', 'cookie: accepted_admin=1795326588.abcdef; theme=dark'],
  ])('strikes out %s, and the line stays JSON', (_name, text) => {
    const struck = strike(JSON.stringify({ msg: text }));

    expect(JSON.parse(struck).msg).toContain('***');
    for (const part of ['word', 'horse', 'abab', 'Bwc', 'dXNl', 'abcdef']) expect(struck).not.toContain(part);
  });

  test('says which key it was, and leaves the host and the user', () => {
    const key = `acc_01m80wvd14etfbnycmvzp2r688_${'ab'.repeat(32)}`;
    expect(strike(`${key} at redis://me:hunter22222@cache:6379/0`)).toBe(
      'acc_01m80wvd14etfbnycmvzp2r688_*** at redis://me:***@cache:6379/0',
    );
  });

  test('leaves everything else as it is', () => {
    const line = '{"level":30,"msg":"GET http://a.example:80/v1/jobs?x=1@2","short":"short"}';
    expect(strike(line)).toBe(line);
  });

  test('keeps any line of JSON JSON, without any secret that is long enough', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 12 }), fc.string(), fc.string(), (secret, before, after) => {
        fc.pre(URL.parse(secret) === null && !secret.includes('*'));
        const struck = strikeOut([secret])(JSON.stringify({ msg: before + secret + after }));
        expect(JSON.parse(struck).msg).not.toContain(secret);
      }),
    );
  });
});

describe('describeError', () => {
  test('leaves out what drivers put on errors, however deep', () => {
    const driver = Object.assign(new Error('WRONGPASS'), {
      code: '23502',
      detail: 'Failing row contains (canary)',
      command: { name: 'auth', args: ['canary'] },
    });
    const all = new AggregateError([driver], 'all failed', { cause: new Error('outer', { cause: driver }) });

    const described = describeError(all);
    expect(JSON.stringify(described)).not.toContain('canary');
    expect(described).toMatchObject({
      type: 'AggregateError',
      message: 'all failed',
      errors: [{ type: 'Error', message: 'WRONGPASS', code: '23502', stack: expect.any(String) }],
      cause: { message: 'outer', cause: { code: '23502' } },
    });
  });

  test('ends where causes go round in a circle', () => {
    const error = new Error('round');
    error.cause = error;
    expect(() => JSON.stringify(describeError(error))).not.toThrow();
  });

  test.each([
    [{ password: 'canary' }, 'not an Error'],
    ['text', 'text'],
    [undefined, 'undefined'],
    [null, 'not an Error'],
    [Object.create(null), 'not an Error'],
    [Symbol('s'), 'Symbol(s)'],
  ])('describes %j, which was thrown, without showing an object', (thrown, message) => {
    expect(describeError(thrown).message).toBe(message);
  });
});
