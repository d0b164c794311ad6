/** What an error asks of the platform: no further attempt, or one after a while. */
export type ErrorKind = 'permanent' | 'retry_later';

/**
 * Marks the errors below, on their prototypes, so that a subclass has it whatever its name, and an error of another copy
 * of this package too. A text and no symbol: Node keeps it when an error ends a worker thread.
 */
const KIND = '@accepted/job/error';

/** A clone of an error, such as `postMessage` makes, keeps the stack and little else. */
const CLONED_STACK = /^(PermanentError|RetryLaterError) \[([\w.-]+)\]: /;

export interface PermanentErrorOptions extends ErrorOptions {
  /** A stable name for machines, such as `card_declined`; the name of the class in snake case when left out. */
  code?: string;
}

/**
 * Ends the job as failed: it becomes a dead letter at once, whatever attempts are left. So does every subclass.
 *
 *     if (response.status === 404) {
 *       throw new PermanentError('There is no such account.', { code: 'no_such_account' });
 *     }
 */
export class PermanentError extends Error {
  declare readonly code: string;

  static {
    mark(PermanentError, 'PermanentError', 'permanent');
  }

  constructor(message: string, options?: PermanentErrorOptions) {
    super(message, options);
    setCode(this, options?.code, snakeCase(new.target) || 'permanent_error');
    writeStack(this, 'PermanentError');
  }
}

export interface RetryLaterErrorOptions extends ErrorOptions {
  /** The least wait before the next attempt; the job's own backoff may ask for more. */
  retryAfterMs?: number;
  /** A stable name for machines; `retry_later` when left out, in a subclass its name in snake case. */
  code?: string;
}

/**
 * Ends the attempt as failed and says when another one could help. So does every subclass.
 *
 *     if (response.status === 429) {
 *       throw new RetryLaterError('The service asked us to slow down.', { retryAfterMs: 30_000 });
 *     }
 */
export class RetryLaterError extends Error {
  declare readonly code: string;
  readonly retryAfterMs: number;

  static {
    mark(RetryLaterError, 'RetryLaterError', 'retry_later');
  }

  constructor(message: string, options?: RetryLaterErrorOptions) {
    super(message, options);
    this.retryAfterMs = options?.retryAfterMs ?? 0;
    setCode(
      this,
      options?.code,
      new.target === RetryLaterError ? 'retry_later' : snakeCase(new.target) || 'retry_later',
    );
    writeStack(this, 'RetryLaterError');
  }
}

/**
 * Tells what a thrown error asks for, and under which code: known by its mark, whatever its name, the copy of this package
 * and the thread that made it. `undefined` for every other error.
 */
export function askedBy(error: Error): { kind: ErrorKind; code: unknown } | undefined {
  const kind: unknown = Reflect.get(error, KIND);
  if (kind === 'permanent' || kind === 'retry_later') return { kind, code: Reflect.get(error, 'code') };
  const [, name, code] = CLONED_STACK.exec(String(error.stack)) ?? [];
  if (error.name !== 'Error' || name === undefined) return undefined;
  return { kind: name === 'PermanentError' ? 'permanent' : 'retry_later', code };
}

function mark(errorClass: { prototype: Error }, name: string, kind: ErrorKind): void {
  const hidden = { writable: true, configurable: true };
  Object.defineProperty(errorClass.prototype, 'name', { ...hidden, value: name });
  Object.defineProperty(errorClass.prototype, KIND, { value: kind });
}

/** A subclass in JavaScript may have a getter of this name, which says it too. */
function setCode(error: Error, given: string | undefined, byClass: string): void {
  const value = given ?? ('code' in error ? undefined : byClass);
  if (value === undefined) return;
  Object.defineProperty(error, 'code', { value, enumerable: true, writable: true, configurable: true });
}

/** Writes the kind and the code into the first line of the stack, as Node does with its own errors. */
function writeStack(error: Error, name: string): void {
  const header = Error.prototype.toString.call(error);
  if (typeof error.stack !== 'string' || !error.stack.startsWith(header)) return;
  const stack = `${name} [${Reflect.get(error, 'code')}]: ${error.message}${error.stack.slice(header.length)}`;
  Object.defineProperty(error, 'stack', { value: stack, writable: true, configurable: true });
}

/** Bundlers put `_` before a name that is taken already. */
function snakeCase({ name }: { name: string }): string {
  return name
    .replace(/^[_$]+/, '')
    .replace(/(?<=[a-z\d])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])/g, '_')
    .toLowerCase();
}
