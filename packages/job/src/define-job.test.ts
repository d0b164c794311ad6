import { describe, expect, expectTypeOf, it } from 'vitest';
import { z } from 'zod';
import { type Backoff, defineJob, isJobDefinition, PermanentError, RetryLaterError } from './define-job.ts';

describe('defineJob', () => {
  it('gives a frozen definition, the defaults filled in and the key turned into a pointer', () => {
    const definition = defineJob({
      type: 'report.render',
      payload: z.object({ accountId: z.string() }),
      concurrency: { limit: 3, key: (p) => p.accountId },
      run: () => null,
    });
    expect(definition).toMatchObject({ type: 'report.render', queue: 'default', retry: {}, isolate: false });
    expect(definition.concurrency).toEqual({ limit: 3, keyPointer: '/accountId' });
    expect(Object.isFrozen(definition)).toBe(true);
    expect(isJobDefinition(definition)).toBe(true);
    expect(isJobDefinition({ ...definition, type: 'other' })).toBe(true);
    expect(isJobDefinition({ type: 'report.render' })).toBe(false);
  });

  it('types the payload after parsing, and the result before it', () => {
    defineJob({
      type: 'typed',
      payload: z.object({ at: z.string().transform((text) => new Date(text)), width: z.number().default(3) }),
      result: z.object({ pages: z.number() }),
      concurrency: { limit: 1, key: (p) => p.at },
      async run(payload, ctx) {
        expectTypeOf(payload).toEqualTypeOf<{ at: Date; width: number }>();
        expectTypeOf(ctx.signal).toEqualTypeOf<AbortSignal>();
        return { pages: payload.width };
      },
    });
    const result = z.object({ pages: z.number() });
    // @ts-expect-error a result that the schema forbids is refused by the compiler
    defineJob({ type: 'typed', payload: z.object({}), result, run: () => ({ pages: '1' }) });
  });

  it.each(['', 'Report', '.a', 'a b', 'a'.repeat(101), 'a/b'])('refuses the type %j', (type) => {
    expect(() => defineJob({ type, payload: z.null(), run: () => null })).toThrow(/type must match/);
  });

  it.each(['', 'a.b', 'Work', '_a', 'a'.repeat(51), 'work-dead'])('refuses the queue %j', (queue) => {
    expect(() => defineJob({ type: 'a', queue, payload: z.null(), run: () => null })).toThrow(/queue must/);
  });

  it('tells every fault of a definition at once', () => {
    const faulty = {
      type: 'A',
      payload: { '~standard': { validate: () => null } },
      timeoutMs: 0.5,
      retry: { maxAttempts: 0, backoff: { type: 'fixed', jitter: 'some' } },
      concurrency: { key: 'accountId' },
      isolate: 'yes',
    };
    expect(() => defineJob(faulty as never)).toThrow(
      /type must.*payload must give JSON Schema.*timeoutMs.*maxAttempts.*jitter.*delayMs.*limit.*concurrency\.key must be a function.*isolate.*run must/,
    );
  });
});

describe('unknown options', () => {
  const faultsOf = (options: object) => {
    try {
      defineJob({ type: 'a', payload: z.null(), run: () => null, ...options });
    } catch (error) {
      return (error as Error).message;
    }
    return 'none';
  };

  it.each<[object, string]>([
    [{ timeoutMS: 1_000 }, 'timeoutMS is not an option (did you mean timeoutMs?)'],
    [{ timeoutMS: undefined }, 'did you mean timeoutMs?'],
    [{ timeout: 1_000 }, 'did you mean timeoutMs?'],
    [{ max_attempts: 3 }, 'max_attempts is not an option (did you mean retry.maxAttempts?)'],
    [{ backoff: {} }, 'did you mean retry.backoff?'],
    [{ isolated: true }, 'did you mean isolate?'],
    [{ retries: {} }, 'did you mean retry?'],
    [{ attempts: 3 }, 'did you mean retry.maxAttempts?'],
    [{ retry: { maxAttempt: 3 } }, 'retry.maxAttempt is not an option (did you mean retry.maxAttempts?)'],
    [{ retry: { limit: 3 } }, 'did you mean concurrency.limit?'],
    [{ concurrency: { limit: 1, Key: () => 1 } }, 'did you mean concurrency.key?'],
    [{ retry: { backoff: { type: 'fixed', delay: 5 } } }, 'did you mean retry.backoff.delayMs?'],
    [
      { retry: { backoff: { type: 'fixed', delayMs: 5, maxMs: 9 } } },
      'retry.backoff.maxMs is not an option of this type of backoff, which has type, delayMs, jitter',
    ],
    [{ colour: 'red' }, 'colour is not an option (there are type, queue, payload,'],
  ])('are told with the nearest one that there is: %j', (options, fault) => {
    expect(faultsOf(options)).toContain(fault);
  });

  it('are listed with all other faults', () => {
    expect(faultsOf({ type: 'A', timeoutMS: 1, retry: { maxAttempt: 3, maxAttempts: 0 } })).toMatch(
      /timeoutMS is not.*type must match.*retry\.maxAttempt is not.*retry\.maxAttempts must be a whole number/,
    );
  });
});

describe('a backoff', () => {
  const withBackoff = (backoff: Backoff) =>
    defineJob({ type: 'a', payload: z.null(), retry: { backoff }, run: () => null }).retry.backoff;

  it.each<Backoff>([
    { type: 'exponential' },
    { type: 'exponential', delayMs: 50 },
    { type: 'exponential', maxMs: 50, jitter: 'none' },
    { type: 'fixed', delayMs: 0 },
    { type: 'schedule', delaysMs: [1, 2] },
  ])('may leave out what has a default: %j', (backoff) => {
    expect(withBackoff(backoff)).toEqual(backoff);
  });

  it.each([
    [{}, /backoff\.type must be/],
    [{ type: 'fixed' }, /delayMs must be/],
    [{ type: 'fixed', delayMs: null }, /delayMs must be/],
    [{ type: 'schedule' }, /delaysMs must list a wait/],
    [{ type: 'schedule', delaysMs: [1, undefined] }, /delaysMs\[1\] must be/],
    [{ type: 'exponential', maxMs: null }, /maxMs must be/],
    [{ type: 'exponential', jitter: null }, /jitter must be/],
  ])('must say what nobody can guess: %j', (backoff, fault) => {
    expect(() => withBackoff(backoff as never)).toThrow(fault);
  });
});

describe('the errors a handler may throw', () => {
  it('carry their code, their cause and how long to wait', () => {
    const cause = new Error('declined');
    expect(new PermanentError('no', { code: 'card_declined', cause })).toMatchObject({
      code: 'card_declined',
      cause,
    });
    expect(new PermanentError('no').code).toBe('permanent_error');
    expect(new RetryLaterError('later', { retryAfterMs: 500 })).toMatchObject({
      code: 'retry_later',
      retryAfterMs: 500,
    });
  });
});
