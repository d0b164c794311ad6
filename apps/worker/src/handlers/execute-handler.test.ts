import { setTimeout as delay } from 'node:timers/promises';
import { defineJob, type JobContext, PermanentError, RetryLaterError } from '@accepted/job';
import { newUuid, publicId } from '@accepted/shared/core/job/id';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { attempt, loaded, recordingLogger } from './testing/attempt.ts';

/** A handler that takes anything and does what the test says. */
const handler = (run: (payload: unknown, ctx: JobContext) => unknown) =>
  loaded(defineJob({ type: 'test.job', payload: z.unknown(), run }));

const cyclic: { self?: unknown } = {};
cyclic.self = cyclic;

const never = () => new Promise<never>(() => undefined);

const aborted = (signal: AbortSignal) =>
  new Promise<DOMException>((resolve) => signal.addEventListener('abort', () => resolve(signal.reason)));

describe('executeHandler', () => {
  it('gives the handler its parsed payload and its context, and writes the result as JSON', async () => {
    const [id, tenantId] = [newUuid(), newUuid()];
    let seen: JobContext | undefined;
    const double = defineJob({
      type: 'test.double',
      payload: z.object({ n: z.coerce.number() }),
      result: z.object({ n: z.number() }),
      run(payload, ctx) {
        seen = ctx;
        return { n: payload.n * 2 };
      },
    });
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    const job = { id, tenantId, payload: { n: '21' }, attempt: 7, attemptsMade: 2, traceparent, tags: ['a'] };
    expect(await attempt(loaded(double), job)).toEqual({ kind: 'returned', resultJson: '{"n":42}' });
    expect(seen).toMatchObject({ idempotencyKey: publicId('job', id), attempt: 7, fencingToken: 7 });
    expect(seen?.job).toEqual({
      id: publicId('job', id),
      tenantId: publicId('tenant', tenantId),
      type: 'test.double',
      queue: 'default',
      attemptsMade: 2,
      maxAttempts: 5,
      timeoutMs: 30_000,
      tags: ['a'],
      metadata: {},
      createdAt: new Date('2026-01-02T03:04:05.678Z'),
      traceparent,
    });
  });

  it('takes a handler that returns nothing as the result null', async () => {
    expect(await attempt(handler(() => undefined))).toEqual({ kind: 'returned', resultJson: 'null' });
  });
});

describe('a faulty handler', () => {
  it.each<[string, () => unknown, object]>([
    [
      'an ordinary error',
      () => {
        throw new Error('no');
      },
      { code: 'handler_error', message: 'no', retryable: true },
    ],
    [
      'a non-error',
      () => {
        throw 'no';
      },
      { code: 'handler_threw_non_error', retryable: true },
    ],
    [
      'a rejection with nothing',
      () => Promise.reject(),
      { code: 'handler_threw_non_error', retryable: true },
    ],
    [
      'a permanent error',
      () => {
        throw new PermanentError('no', { code: 'gone' });
      },
      { code: 'gone', retryable: false },
    ],
    ['a cyclic result', () => cyclic, { code: 'result_not_serializable', retryable: false }],
    ['a BigInt', () => ({ n: 1n }), { code: 'result_not_serializable', retryable: false }],
    ['a result of 50 MB', () => 'x'.repeat(50_000_000), { code: 'result_too_large', retryable: false }],
    ['a NUL in the result', () => 'a\0b', { code: 'invalid_result', retryable: false }],
    [
      'a Map in the result',
      () => ({ rows: [new Map()] }),
      {
        code: 'invalid_result',
        retryable: false,
        message: 'The result cannot be kept. /rows/0: JSON does not hold a Map.',
      },
    ],
    [
      'a promise that nobody awaits',
      () => ({ total: Promise.resolve(1) }),
      { code: 'invalid_result', retryable: false, message: expect.stringContaining('/total: ') },
    ],
    ['half of a surrogate pair', () => ['\ud83d'], { code: 'invalid_result', retryable: false }],
  ])('records %s as a failed attempt with a code', async (_name, run, error) => {
    expect(await attempt(handler(run))).toMatchObject({ kind: 'threw', error });
  });

  it('passes on how long a handler asks to wait', async () => {
    const run = () => {
      throw new RetryLaterError('later', { retryAfterMs: 1_500 });
    };
    expect(await attempt(handler(run))).toMatchObject({ kind: 'threw', retryAfterMs: 1_500 });
  });
});

describe('a schema', () => {
  it('fails for good, without a run, on a payload that the real schema refuses', async () => {
    let runs = 0;
    const strict = defineJob({
      type: 'test.strict',
      payload: z.object({ items: z.array(z.object({ n: z.number() })) }),
      run: () => runs++,
    });
    const result = await attempt(loaded(strict), { payload: { items: [{ n: 1 }, { n: 'two' }] } });
    const message = expect.stringContaining('/items/1/n: ');
    expect(result).toMatchObject({
      kind: 'threw',
      error: { code: 'invalid_payload', retryable: false, message },
    });
    expect(runs).toBe(0);
  });

  it('fails for good when the handler returns what its schema forbids', async () => {
    const result = z.object({ pages: z.number() });
    const faulty = defineJob({ type: 'test.faulty', payload: z.unknown(), result, run: () => ({}) as never });
    const error = { code: 'invalid_result', retryable: false };
    expect(await attempt(loaded(faulty))).toMatchObject({ kind: 'threw', error });
  });

  it('fails for good when a schema itself throws', async () => {
    const schema = z.unknown().refine(() => {
      throw new Error('broken');
    });
    const faulty = defineJob({ type: 'test.faulty', payload: schema, run: () => null });
    const error = { code: 'invalid_payload', message: expect.stringContaining('broken') };
    expect(await attempt(loaded(faulty))).toMatchObject({ kind: 'threw', error });
  });
});

describe('an attempt that takes too long', () => {
  it('is told so by its signal, and given up when it never settles', async () => {
    let reason: Promise<DOMException> | undefined;
    const stuck = handler((_payload, ctx) => {
      reason = aborted(ctx.signal);
      return never();
    });
    expect(await attempt(stuck, { timeoutMs: 20 })).toEqual({ kind: 'timedOut', timeoutMs: 20 });
    expect(await reason).toMatchObject({ name: 'TimeoutError' });
  });

  it('has timed out when it throws because of the signal', async () => {
    const polite = handler(async (_payload, ctx) => {
      throw await aborted(ctx.signal);
    });
    expect(await attempt(polite, { timeoutMs: 20 }, { graceMs: 60_000 })).toEqual({
      kind: 'timedOut',
      timeoutMs: 20,
    });
  });

  it('has still succeeded when it returns a result within the grace', async () => {
    const late = handler(async (_payload, ctx) => (await aborted(ctx.signal)).name);
    expect(await attempt(late, { timeoutMs: 20 })).toEqual({
      kind: 'returned',
      resultJson: '"TimeoutError"',
    });
  });

  it('is not cut short by a timeout longer than a timer can be', async () => {
    const busy = handler((_payload, ctx) => delay(20, 'done', { signal: ctx.signal }));
    const result = await attempt(busy, { timeoutMs: Number.MAX_SAFE_INTEGER });
    expect(result).toEqual({ kind: 'returned', resultJson: '"done"' });
  });
});

describe('an attempt that is stopped from outside', () => {
  it.each([
    ['canceled', 'canceled'],
    ['shutdown', 'shutdown'],
    ['leaseLost', 'shutdown'],
  ])('because of %s ends as aborted, though it never settles', async (reason, ended) => {
    const controller = new AbortController();
    let name: string | undefined;
    const stuck = handler((_payload, ctx) => {
      void aborted(ctx.signal).then((given) => {
        name = given.name;
      });
      queueMicrotask(() => controller.abort(reason));
      return never();
    });
    expect(await attempt(stuck, {}, { signal: controller.signal })).toEqual({
      kind: 'aborted',
      reason: ended,
    });
    expect(name).toBe('AbortError');
  });

  it('keeps a result that comes within the grace: the work is done', async () => {
    const controller = new AbortController();
    const late = handler((_payload, ctx) => {
      queueMicrotask(() => controller.abort('canceled'));
      return aborted(ctx.signal).then(() => 'done');
    });
    expect(await attempt(late, {}, { signal: controller.signal })).toEqual({
      kind: 'returned',
      resultJson: '"done"',
    });
  });

  it('does not run at all when it was stopped before', async () => {
    let runs = 0;
    const result = await attempt(
      handler(() => runs++),
      {},
      { signal: AbortSignal.abort('canceled') },
    );
    expect(result).toEqual({ kind: 'aborted', reason: 'canceled' });
    expect(runs).toBe(0);
  });
});

describe('progress', () => {
  it('is handed on as a snapshot', async () => {
    const seen: unknown[] = [];
    const moving = handler((_payload, ctx) => {
      const state = { percent: 10 };
      ctx.progress(state);
      state.percent = 20;
    });
    await attempt(moving, {}, { onProgress: (value) => seen.push(value) });
    expect(seen).toEqual([{ percent: 10 }]);
  });

  it.each([
    ['too large', 'x'.repeat(20_000)],
    ['cyclic', cyclic],
    ['with a NUL', '\0'],
  ])('that is %s is dropped with a warning, and the attempt goes on', async (_name, value) => {
    const [seen, lines]: [unknown[], unknown[][]] = [[], []];
    const result = await attempt(
      handler((_payload, ctx) => ctx.progress(value)),
      {},
      { onProgress: (progress) => seen.push(progress), logger: recordingLogger(lines) },
    );
    expect(result).toMatchObject({ kind: 'returned' });
    expect(seen).toEqual([]);
    expect(lines).toHaveLength(1);
  });

  it('that JSON would change is dropped with a warning that says where', async () => {
    const [seen, lines]: [unknown[], unknown[][]] = [[], []];
    const moving = handler((_payload, ctx) => ctx.progress({ percent: 0 / 0 }));
    await attempt(moving, {}, { onProgress: (value) => seen.push(value), logger: recordingLogger(lines) });
    expect(seen).toEqual([]);
    const err = expect.objectContaining({ message: '/percent: JSON does not hold NaN.' });
    expect(lines).toEqual([[{ err }, 'progress that cannot be kept is dropped']]);
  });

  it('of an attempt that was given up goes nowhere', async () => {
    const seen: unknown[] = [];
    let ctx: JobContext | undefined;
    const stuck = handler((_payload, given) => {
      ctx = given;
      return never();
    });
    await attempt(stuck, { timeoutMs: 10 }, { onProgress: (value) => seen.push(value) });
    ctx?.progress(1);
    expect(seen).toEqual([]);
  });
});
