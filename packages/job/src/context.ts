/** Tells a handler which job it runs. Ids are the ones that clients see (`job_…`, `ten_…`). */
export interface JobFacts {
  id: string;
  type: string;
  queue: string;
  tenantId: string;
  /** Attempts that count against `maxAttempts`, this one included; a replay counts anew. */
  attemptsMade: number;
  maxAttempts: number;
  timeoutMs: number;
  tags: readonly string[];
  metadata: Readonly<Record<string, unknown>>;
  createdAt: Date;
  /** The id of the HTTP request that submitted the job. */
  requestId?: string;
  /** W3C trace context of the submitting request, to be sent along with outgoing calls. */
  traceparent?: string;
  tracestate?: string;
}

/** Writes a line to the worker's log, the job's ids added. Any pino logger is one. */
export interface JobLogger {
  debug: LogLine;
  info: LogLine;
  warn: LogLine;
  error: LogLine;
}

/** Takes `log.info('text')` or `log.info({ rows: 3 }, 'text')`. */
export interface LogLine {
  (text: string): void;
  (fields: object, text?: string): void;
}

/** What a handler is given beside its payload. */
export interface JobContext {
  /**
   * Aborts when the attempt must end: with a `TimeoutError` after `timeoutMs`, with an `AbortError` when the job is
   * canceled or the worker shuts down. A short grace follows, in which a result still counts.
   */
  signal: AbortSignal;
  logger: JobLogger;
  /** Reports progress as any JSON value of at most 16 KiB; readers see the newest one, some may be skipped. */
  progress(value: unknown): void;
  /** The job's id: the same in every attempt. Send it to a sink that drops repeats. */
  idempotencyKey: string;
  /** The number of this attempt, from 1; it never goes back, in a replay neither. */
  attempt: number;
  /** Grows with every attempt. A sink that refuses a smaller token than it has seen is safe from a worker that lost its lease. */
  fencingToken: number;
  job: JobFacts;
}
