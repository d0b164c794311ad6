import { types } from 'node:util';
import { askedBy } from '@accepted/job';
import { type AttemptResult, HANDLER_EXITED, type JobError } from '@accepted/shared/core/job/decide-outcome';
import { heldErrors, messageWithReasons } from '@accepted/shared/core/job/error-reasons';
import { strikeOut } from '@accepted/shared/runtime/logging/strike-out';

export type Threw = Extract<AttemptResult, { kind: 'threw' }>;

const CODE = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$/;
const MAX_MESSAGE = 2_000;
const MAX_STACK = 16_000;
const MAX_STACK_OF_ONE = 6_000;
const MAX_STACKS = 10;

/** A handler may ask for a late retry, not for one that outlives everybody. */
const MAX_RETRY_AFTER_MS = 7 * 24 * 3_600_000;

/** Libraries put keys and URLs with passwords into messages, and dead letters are shown to people. */
const withoutSecrets = strikeOut([]);

/**
 * Describes what a handler threw, whatever it is; never throws itself. Only what is thrown can be permanent: a
 * PermanentError that is the cause of another error was caught by somebody who decided otherwise.
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
    ...failure(HANDLER_EXITED, `An exception that nobody caught: ${message}`, true, stack),
    ...(died && { died }),
  };
}

function describeError(error: Error): Threw {
  const stack = stackWithReasons(error);
  const asked = askedBy(error);
  if (!asked) return failure('handler_error', messageWithReasons(error), true, stack);
  // Its code is told apart.
  const message = messageWithReasons(error, String(error.message));
  if (asked.kind === 'permanent')
    return failure(codeOf(asked.code, 'permanent_error'), message, false, stack);
  const threw = failure(codeOf(asked.code, 'retry_later'), message, true, stack);
  const retryAfterMs = Number('retryAfterMs' in error ? error.retryAfterMs : 0);
  return retryAfterMs > 0 ? { ...threw, retryAfterMs: Math.min(retryAfterMs, MAX_RETRY_AFTER_MS) } : threw;
}

function codeOf(code: unknown, otherwise: string): string {
  return typeof code === 'string' && CODE.test(code) ? code : otherwise;
}

/** Joins the stacks of an error, of the errors it is an aggregate of, and of their causes. */
function stackWithReasons(error: Error): string {
  const stacks: string[] = [];
  const seen = new Set<unknown>();
  const add = (reason: unknown, prefix: string) => {
    if (seen.has(reason) || stacks.length >= MAX_STACKS) return;
    seen.add(reason);
    const stack = isError(reason) ? String(reason.stack ?? reason) : describeNonError(reason);
    stacks.push(prefix + stack.slice(0, MAX_STACK_OF_ONE));
    const { aggregated, cause } = heldErrors(reason);
    for (const one of aggregated) add(one, 'one of: ');
    if (cause !== undefined) add(cause, 'caused by: ');
  };
  try {
    add(error, '');
  } catch {
    // What a cause says cannot be read; the rest is told all the same.
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
  // Some more than is kept, so that a secret is struck out whole before the cut.
  const struck = withoutSecrets(String(text).slice(0, 2 * maxCharacters));
  return struck.slice(0, maxCharacters).replaceAll('\0', '\ufffd').toWellFormed();
}
