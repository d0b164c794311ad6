import { PermanentError, RetryLaterError } from '@accepted/job';
import { describe, expect, it } from 'vitest';
import { describeThrown } from './attempt-error.ts';

class ForeignPermanentError extends Error {
  override name = 'PermanentError';
  code = 'foreign';
}

describe('describeThrown', () => {
  it('takes an ordinary error as worth trying again, with the stacks of its causes', () => {
    const threw = describeThrown(new Error('outer', { cause: new Error('inner', { cause: 'disk' }) }));
    expect(threw).toMatchObject({
      kind: 'threw',
      error: { code: 'handler_error', message: 'outer', retryable: true },
    });
    expect(threw.error.stack).toMatch(
      /^Error: outer[\s\S]*caused by: Error: inner[\s\S]*caused by: string disk/,
    );
    expect(threw).not.toHaveProperty('retryAfterMs');
  });

  it.each<[string, unknown, object]>([
    ['PermanentError', new PermanentError('no'), { code: 'permanent_error', retryable: false }],
    [
      'PermanentError with a code',
      new PermanentError('no', { code: 'gone' }),
      { code: 'gone', retryable: false },
    ],
    [
      'that of another copy of the package',
      new ForeignPermanentError('no'),
      { code: 'foreign', retryable: false },
    ],
    [
      'a code that is no name',
      new PermanentError('no', { code: 'a b\0' }),
      { code: 'permanent_error', retryable: false },
    ],
    ['RetryLaterError', new RetryLaterError('no'), { code: 'retry_later', retryable: true }],
    ['a string', 'no', { code: 'handler_threw_non_error', message: expect.stringContaining('string no') }],
    ['undefined', undefined, { code: 'handler_threw_non_error', retryable: true }],
    ['an object', { a: 1 }, { message: expect.stringContaining('{"a":1}') }],
    [
      'a hostile proxy',
      new Proxy(
        {},
        {
          get() {
            throw new Error();
          },
          getPrototypeOf() {
            throw new Error();
          },
        },
      ),
      { code: 'handler_threw_non_error' },
    ],
  ])('describes %s', (_name, thrown, error) => {
    expect(describeThrown(thrown).error).toMatchObject(error);
  });

  it.each([
    [5_000, 5_000],
    [Number.POSITIVE_INFINITY, 604_800_000],
  ])('asks for a wait of %d ms as %d ms', (retryAfterMs, recorded) => {
    expect(describeThrown(new RetryLaterError('later', { retryAfterMs })).retryAfterMs).toBe(recorded);
  });

  it.each([-1, Number.NaN, 0])('leaves the wait to the backoff when told %d', (retryAfterMs) => {
    expect(describeThrown(new RetryLaterError('later', { retryAfterMs }))).not.toHaveProperty('retryAfterMs');
  });

  it('cuts what is too long and replaces what Postgres cannot hold', () => {
    const { message } = describeThrown(new Error(`a\0b\ud800${'x'.repeat(10_000)}`)).error;
    expect(message.startsWith('a\ufffdb\ufffdx')).toBe(true);
    expect(message.length).toBe(2_000);
  });
});
