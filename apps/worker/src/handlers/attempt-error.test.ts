import { runInNewContext } from 'node:vm';
import { PermanentError, RetryLaterError } from '@accepted/job';
import { describe, expect, it } from 'vitest';
import { describeThrown } from './attempt-error.ts';

class CardDeclined extends PermanentError {
  override name = 'CardDeclined';
}

/** Another library has an error of this name, and means something else by it. */
class Namesake extends Error {
  override name = 'PermanentError';
  code = 'theirs';
}

describe('describeThrown', () => {
  it('takes an ordinary error as worth trying again, with the stacks of its causes', () => {
    const threw = describeThrown(new Error('outer', { cause: new Error('inner', { cause: 'disk' }) }));
    expect(threw).toMatchObject({
      kind: 'threw',
      error: { code: 'handler_error', message: 'outer: disk', retryable: true },
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
      'a subclass with a name of its own',
      new CardDeclined('no'),
      { code: 'card_declined', retryable: false },
    ],
    ['a namesake', new Namesake('no'), { code: 'handler_error', message: 'no (theirs)', retryable: true }],
    [
      'an error that was caused by a PermanentError',
      new Error('outer', { cause: new CardDeclined('inner') }),
      { code: 'handler_error', message: 'outer: inner (card_declined)', retryable: true },
    ],
    ['an error of another realm', runInNewContext('new TypeError("alien")'), { message: 'alien' }],
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

  it('keeps the stacks of the errors of an aggregate', () => {
    const all = new AggregateError([new Error('one', { cause: new Error('deep') }), 'two'], 'all failed');
    expect(describeThrown(all).error.stack).toMatch(
      /^AggregateError: all failed[\s\S]*one of: Error: one[\s\S]*caused by: Error: deep[\s\S]*one of: string two/,
    );
  });

  it('tells an error whose cause cannot be read', () => {
    const hostile = Object.defineProperty(new Error('inner'), 'message', {
      get() {
        throw new Error('no');
      },
    });
    expect(describeThrown(new Error('outer', { cause: hostile })).error).toMatchObject({ message: 'outer' });
  });

  it('strikes out keys and passwords as logs do', () => {
    const cause = new Error('connect postgres://app:hunter2@db:5432/app failed');
    const { error } = describeThrown(new PermanentError('no database', { cause }));
    expect(error.message).toBe('no database: connect postgres://app:***@db:5432/app failed');
    expect(error.stack).not.toContain('hunter2');
  });

  it('cuts what is too long and replaces what Postgres cannot hold', () => {
    const { message } = describeThrown(new Error(`a\0b\ud800${'x'.repeat(10_000)}`)).error;
    expect(message.startsWith('a\ufffdb\ufffdx')).toBe(true);
    expect(message.length).toBe(2_000);
  });
});
