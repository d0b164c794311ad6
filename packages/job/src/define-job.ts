import type { StandardJSONSchemaV1, StandardSchemaV1 } from '@standard-schema/spec';
import { checkDefinition } from './check-definition.ts';
import type { JobContext } from './context.ts';
import { keyPointer } from './key-pointer.ts';

export type { JobContext, JobFacts, JobLogger, LogLine } from './context.ts';
export { askedBy, PermanentError, RetryLaterError } from './errors.ts';

/** A schema of any library that follows Standard Schema and Standard JSON Schema (specification 1.1); zod 4 does. */
export type JobSchema<Input = unknown, Output = Input> = StandardSchemaV1<Input, Output> &
  StandardJSONSchemaV1<Input, Output>;

/**
 * Says how long to wait before the next attempt; `schedule` lists one wait per retry and repeats the last. What is left out
 * is as in a request: `delayMs` 1,000, `maxMs` 600,000, `jitter` `full`.
 */
export type Backoff =
  | { type: 'exponential'; delayMs?: number; maxMs?: number; jitter?: 'full' | 'equal' | 'none' }
  | { type: 'fixed'; delayMs: number; jitter?: 'full' | 'equal' | 'none' }
  | { type: 'schedule'; delaysMs: number[]; jitter?: 'full' | 'equal' | 'none' };

export interface JobOptions<Payload extends JobSchema, Result extends JobSchema> {
  /** The name clients submit under: lower-case letters, digits, `.`, `_`, `-`; 100 characters at most. */
  type: string;
  /** `default` when left out; lower-case letters, digits, `_`, `-`; 50 characters at most; not ending in `-dead`. */
  queue?: string;
  payload: Payload;
  /** Checks what `run` returns; a result that does not fit fails the job as `invalid_result`. */
  result?: Result;
  retry?: { maxAttempts?: number; backoff?: Backoff };
  /** How long one attempt may take; 60,000 when left out. */
  timeoutMs?: number;
  /** At most `limit` jobs of a tenant with the same `key` run at once; without `key`, of the whole type. */
  concurrency?: { limit: number; key?: (payload: StandardSchemaV1.InferInput<Payload>) => unknown };
  /** Runs the handler in a process of its own: for CPU-bound work, and so that a timeout can stop it. */
  isolate?: boolean;
  run(
    payload: StandardSchemaV1.InferOutput<Payload>,
    ctx: JobContext,
  ): StandardSchemaV1.InferInput<Result> | Promise<StandardSchemaV1.InferInput<Result>>;
}

/** A checked handler, as the worker loads it: the default export of a file in `JOBS_DIR`. */
export interface JobDefinition {
  readonly [DEFINITION]: 1;
  readonly type: string;
  readonly queue: string;
  readonly payload: JobSchema;
  readonly result?: JobSchema;
  readonly retry: { maxAttempts?: number; backoff?: Backoff };
  readonly timeoutMs?: number;
  readonly concurrency?: { limit: number; keyPointer?: string };
  readonly isolate: boolean;
  readonly run: (payload: unknown, ctx: JobContext) => unknown;
}

// A symbol of the global registry, so that a handler which brings its own copy of this package is known too.
const DEFINITION: unique symbol = Symbol.for('@accepted/job/definition') as never;

/**
 * Defines the handler of a job type; throws a TypeError that lists every fault of the options.
 *
 *     import { defineJob } from '@accepted/job';
 *     import { z } from 'zod';
 *
 *     export default defineJob({
 *       type: 'report.render',
 *       payload: z.object({ accountId: z.string() }),
 *       result: z.object({ pages: z.number() }),
 *       retry: { maxAttempts: 5 },
 *       concurrency: { limit: 10, key: (p) => p.accountId },
 *       async run(payload, ctx) {
 *         ctx.progress({ percent: 50 });
 *         const response = await fetch(`https://reports.example/${payload.accountId}`, { signal: ctx.signal });
 *         return { pages: Number(await response.text()) };
 *       },
 *     });
 */
export function defineJob<Payload extends JobSchema, Result extends JobSchema = JobSchema>(
  options: JobOptions<Payload, Result>,
): JobDefinition {
  checkDefinition(options);
  const { queue = 'default', retry = {}, isolate = false, concurrency, run, ...rest } = options;
  return Object.freeze({
    ...rest,
    [DEFINITION]: 1 as const,
    queue,
    retry,
    isolate,
    ...(concurrency && { concurrency: describeConcurrency(concurrency) }),
    run: run as JobDefinition['run'],
  });
}

function describeConcurrency({ limit, key }: { limit: number; key?: (payload: never) => unknown }) {
  return key === undefined ? { limit } : { limit, keyPointer: keyPointer(key) };
}

/** Tells whether a value was made by `defineJob`, of this copy of the package or another. */
export function isJobDefinition(value: unknown): value is JobDefinition {
  return typeof value === 'object' && value !== null && DEFINITION in value;
}
