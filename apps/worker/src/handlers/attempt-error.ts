import { types } from 'node:util';
import type { AttemptResult, JobError } from '@accepted/shared/job/decide-outcome';

export type Threw = Extract<AttemptResult, { kind: 'threw' }>;

const CODE = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$/;
const MAX_MESSAGE = 2_000;
const MAX_STACK = 16_000;
const MAX_CAUSES = 5;

/** A handler may ask for a late retry, not for one that outlives everybody. */
const MAX_RETRY_AFTER_MS = 7 * 24 * 3_600_000;

/**
 * Describes what a handler threw, whatever it is; never throws itself. PermanentError and RetryLaterError are known
 * by name, so that those of another copy of `@accepted/job` count too.
 */
export function describeThrown(thrown: unknown): Threw {
  try {
    if (isError(thrown)) return describeError(thrown);
    return failure(
      'handler_threw_non_error',
      `The handler threw ${describeNonError(thrown)}, not an Error.`,
      true,
    );
  } catch {
    return failure('handler_threw_non_error', 'The handler threw something that cannot be read.', true);
  }
}

/** Describes an attempt that failed for a reason of ours. */
export function failure(code: string, message: string, retryable: boolean, stack?: string): Threw {
  const error: JobError = { code, message: storable(message, MAX_MESSAGE), retryable };
  return {
    kind: 'threw',
    error: stack === undefined ? error : { ...error, stack: storable(stack, MAX_STACK) },
  };
}

/** Describes an attempt whose process ended of an exception that nobody caught. */
export function uncaught(thrown: unknown, died: Threw['died'] = 'handlerProcess'): Threw {
  const { message, stack } = describeThrown(thrown).error;
  return {
    ...failure('handler_exited', `An exception that nobody caught: ${message}`, true, stack),
    ...(died && { died }),
  };
}

function describeError(error: Error): Threw {
  const stack = stackWithCauses(error);
  if (error.name === 'PermanentError')
    return failure(codeOf(error, 'permanent_error'), error.message, false, stack);
  if (error.name !== 'RetryLaterError') return failure('handler_error', error.message, true, stack);
  const threw = failure(codeOf(error, 'retry_later'), error.message, true, stack);
  const retryAfterMs = Number('retryAfterMs' in error ? error.retryAfterMs : 0);
  return retryAfterMs > 0 ? { ...threw, retryAfterMs: Math.min(retryAfterMs, MAX_RETRY_AFTER_MS) } : threw;
}

function codeOf(error: Error, otherwise: string): string {
  const code = 'code' in error ? error.code : undefined;
  return typeof code === 'string' && CODE.test(code) ? code : otherwise;
}

function stackWithCauses(error: Error): string {
  const stacks = [String(error.stack ?? error)];
  let { cause } = error;
  for (let depth = 0; cause !== undefined && depth < MAX_CAUSES; depth++) {
    stacks.push(`caused by: ${isError(cause) ? String(cause.stack ?? cause) : describeNonError(cause)}`);
    cause = isError(cause) ? cause.cause : undefined;
  }
  return stacks.join('\n');
}

function describeNonError(thrown: unknown): string {
  const text = typeof thrown === 'object' && thrown !== null ? JSON.stringify(thrown) : String(thrown);
  return `${typeof thrown} ${text?.slice(0, 200)}`;
}

function isError(thrown: unknown): thrown is Error {
  return thrown instanceof Error || types.isNativeError(thrown);
}

/** Postgres cannot hold NUL or half of a surrogate pair, and nobody reads a message of a megabyte. */
function storable(text: unknown, maxCharacters: number): string {
  const short = String(text).slice(0, maxCharacters).replaceAll('\0', '\ufffd');
  return short.toWellFormed();
}
