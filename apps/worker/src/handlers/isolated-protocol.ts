import type { JobFacts, JobLogger } from '@accepted/job';
import type { HandlerResult } from './run-handler.ts';

/** What a handler process is given to run one attempt. */
export interface IsolatedAttempt {
  file: string;
  payload: unknown;
  facts: JobFacts;
  attempt: number;
  maxResultBytes: number;
}

/** The exit code of a handler process that ends while an attempt runs which has nothing to do with that. */
export const EXIT_BY_ANOTHER = 87;

/** What a handler process tells the worker; `ready` once, the rest in every attempt. */
export type FromProcess =
  | { kind: 'ready' }
  /** The attempt has been taken; what happened before is of an earlier one. */
  | { kind: 'began' }
  | { kind: 'progress'; json: string }
  | { kind: 'log'; level: keyof JobLogger; fields: object; text: string | undefined }
  | { kind: 'ended'; result: HandlerResult }
  /** An exception that nobody caught: the process ends now. */
  | { kind: 'crashed'; result: HandlerResult }
  /** An exception that nobody caught, not of the attempt that runs now: the process ends. */
  | { kind: 'stray'; leftBy?: { jobId: string; type: string; attempt: number } };

/** What the worker tells a handler process. `name` and `message` are those of the reason that `ctx.signal` gets. */
export type ToProcess =
  | { kind: 'run'; attempt: IsolatedAttempt }
  | { kind: 'abort'; name: string; message: string };
