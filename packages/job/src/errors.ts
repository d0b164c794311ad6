export interface PermanentErrorOptions extends ErrorOptions {
  /** A stable name for machines, such as `card_declined`; `permanent_error` when left out. */
  code?: string;
}

/**
 * Ends the job as failed: it becomes a dead letter at once, whatever attempts are left.
 *
 *     if (response.status === 404) {
 *       throw new PermanentError('There is no such account.', { code: 'no_such_account' });
 *     }
 */
export class PermanentError extends Error {
  override name = 'PermanentError';
  readonly code: string;

  constructor(message: string, options: PermanentErrorOptions = {}) {
    super(message, options);
    this.code = options.code ?? 'permanent_error';
  }
}

export interface RetryLaterErrorOptions extends ErrorOptions {
  /** The least wait before the next attempt; the job's own backoff may ask for more. */
  retryAfterMs?: number;
  /** A stable name for machines; `retry_later` when left out. */
  code?: string;
}

/**
 * Ends the attempt as failed and says when another one could help.
 *
 *     if (response.status === 429) {
 *       throw new RetryLaterError('The service asked us to slow down.', { retryAfterMs: 30_000 });
 *     }
 */
export class RetryLaterError extends Error {
  override name = 'RetryLaterError';
  readonly code: string;
  readonly retryAfterMs: number;

  constructor(message: string, options: RetryLaterErrorOptions = {}) {
    super(message, options);
    this.code = options.code ?? 'retry_later';
    this.retryAfterMs = options.retryAfterMs ?? 0;
  }
}
