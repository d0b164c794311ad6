import { describe, expect, test } from 'vitest';
import { messageWithReasons } from './error-reasons.ts';

const coded = (message: string, code: unknown, options?: ErrorOptions) =>
  Object.assign(new Error(message, options), { code });
const refused = (address: string) => coded(`connect ECONNREFUSED ${address}`, 'ECONNREFUSED');
const dualStack = Object.assign(new AggregateError([refused('::1:1'), refused('127.0.0.1:1')], ''), {
  code: 'ECONNREFUSED',
});

describe('messageWithReasons', () => {
  test.each<[string, unknown, string]>([
    ['an error alone', new Error('no'), 'no'],
    ['an error with a code', coded('duplicate key', '23505'), 'duplicate key (23505)'],
    ['a code that is a number', coded('E11000 duplicate', 11000), 'E11000 duplicate'],
    ['a number that the message has not', coded('Unavailable', 14), 'Unavailable (14)'],
    ['the number of a cause', new Error('a', { cause: coded('b', -32601) }), 'a: b (-32601)'],
    ['a number within another', coded('Gone after 140 ms', 14), 'Gone after 140 ms (14)'],
    ['an abort', new DOMException('Aborted.', 'AbortError'), 'Aborted.'],
    ['a number that is none', coded('no', Number.NaN), 'no'],
    ['a code that the message has', refused('::1:1'), 'connect ECONNREFUSED ::1:1'],
    ['no message at all', new TypeError(), 'TypeError'],
    [
      'fetch on a dead host',
      new TypeError('fetch failed', { cause: dualStack }),
      'fetch failed: connect ECONNREFUSED ::1:1; connect ECONNREFUSED 127.0.0.1:1',
    ],
    [
      'the innermost of many',
      new Error('a.', { cause: new Error('b', { cause: coded('c', 'E_C') }) }),
      'a: c (E_C)',
    ],
    [
      'each error of an aggregate, with its own cause',
      new AggregateError(
        [new Error('one', { cause: new Error('deep') }), new Error('two'), 'three'],
        'All failed',
      ),
      'All failed: one; deep; two; three',
    ],
    ['an aggregate in a cause', new Error('a', { cause: new AggregateError([new Error('b')], 'c') }), 'a: b'],
    ['reasons alike', new AggregateError([new Error('b'), new Error('b')], 'c'), 'c: b'],
    ['a quoted cause', new Error('Failed: boom', { cause: new Error('boom') }), 'Failed: boom'],
    ['a quoted cause with a code', new Error('No: boom', { cause: coded('boom', 'E_B') }), 'No: boom: E_B'],
    ['a cause that is a text', new Error('a', { cause: 'disk' }), 'a: disk'],
    ['a cause that is an object', new Error('a', { cause: { status: 500 } }), 'a: {"status":500}'],
    [
      'what `using` throws',
      new SuppressedError(new Error('close'), new Error('work'), 'both'),
      'both: close; work',
    ],
  ])('tells %s', (_name, error, message) => {
    expect(messageWithReasons(error)).toBe(message);
  });

  test('shows what every promise of Promise.any was rejected with', async () => {
    const error = await Promise.any([
      Promise.reject(new Error('eu: 503')),
      Promise.reject(refused('::1:1')),
    ]).catch((thrown: unknown) => thrown);
    expect(messageWithReasons(error)).toBe('All promises were rejected: eu: 503; connect ECONNREFUSED ::1:1');
  });

  test('shows why a fetch failed', async () => {
    const refusal = await fetch('http://127.0.0.1:1/').catch((thrown: unknown) => thrown);
    expect(messageWithReasons(refusal)).toMatch(/^fetch failed: .*(ECONNREFUSED|bad port)/);
    const unknown = await fetch('http://no.such.host.invalid/').catch((thrown: unknown) => thrown);
    expect(messageWithReasons(unknown)).toMatch(/^fetch failed: getaddrinfo (ENOTFOUND|EAI_AGAIN) no\.such/);
  });

  test('is bounded in count, depth and length, and keeps reasons beside a long message', () => {
    const many = Array.from(
      { length: 2_000 },
      (_, index) => new Error(`reason ${index} ${'x'.repeat(10_000)}`),
    );
    const message = messageWithReasons(new AggregateError(many, 'y'.repeat(100_000)));
    expect(message.length).toBeLessThan(3_000);
    expect(message).toContain('reason 7');
    expect(message).toMatch(/; and \d+ more$/);

    const deep = Array.from({ length: 10_000 }).reduce<Error>(
      (cause) => new Error('x', { cause }),
      new Error('end'),
    );
    expect(messageWithReasons(deep).length).toBeLessThan(100);
  });

  test('ends where causes go round in a circle', () => {
    const outer = new Error('outer');
    const inner = new AggregateError([outer], 'inner', { cause: outer });
    outer.cause = inner;
    expect(messageWithReasons(outer)).toBe('outer: inner');
    outer.cause = outer;
    expect(messageWithReasons(outer)).toBe('outer');
  });
});
