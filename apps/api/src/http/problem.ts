import { PROBLEMS, type ProblemCode, problemUrl } from '@accepted/shared/contract/problems';

/** Names one thing that is wrong with a request; `pointer` is a JSON Pointer (RFC 6901). */
export interface Fault {
  pointer: string;
  detail: string;
}

export interface ProblemOptions {
  detail?: string;
  errors?: Fault[];
  headers?: Record<string, string>;
  /** More members for the body (RFC 9457, section 3.2). */
  members?: Record<string, unknown>;
  cause?: unknown;
}

/** Ends a request with a problem of the registry; the error handler writes it. */
export class Problem extends Error {
  readonly code: ProblemCode;
  readonly status: number;
  readonly errors: Fault[] | undefined;
  readonly headers: Record<string, string>;
  readonly members: Record<string, unknown>;

  constructor(code: ProblemCode, options: ProblemOptions = {}) {
    // Nobody looks where a problem was thrown, and to find that out takes longer than to answer it.
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = 0;
    super(options.detail ?? PROBLEMS[code].meaning, { cause: options.cause });
    Error.stackTraceLimit = stackTraceLimit;
    this.code = code;
    this.status = PROBLEMS[code].status;
    this.errors = options.errors;
    this.headers = options.headers ?? {};
    this.members = options.members ?? {};
  }
}

/** Makes the problem of a body that breaks rules; `faults` has all of them. */
export function validationFailed(faults: Fault[]): Problem {
  return new Problem('validation_failed', { detail: summary(faults), errors: faults });
}

/** Makes the problem of a parameter that breaks rules; the pointers start with `/query`, `/path` or `/headers`. */
export function invalidParameter(faults: Fault[]): Problem {
  return new Problem('invalid_parameter', { detail: summary(faults), errors: faults });
}

/** Makes the problem of a key that may not do something (RFC 6750, section 3.1). */
export function missingScope(scope: string, detail = `The API key lacks the scope ${scope}.`): Problem {
  const headers = {
    'www-authenticate': `Bearer realm="accepted", error="insufficient_scope", scope="${scope}"`,
  };
  return new Problem('missing_scope', { detail, headers, members: { requiredScope: scope } });
}

function summary(faults: Fault[]): string {
  return faults.length === 1 ? '1 fault was found.' : `${faults.length} faults were found.`;
}

/** Writes the body of a problem (RFC 9457). */
export function problemBody(problem: Problem, publicUrl: string, requestId: string): Record<string, unknown> {
  return {
    type: problemUrl(publicUrl, problem.code),
    title: PROBLEMS[problem.code].title,
    status: problem.status,
    detail: problem.message,
    code: problem.code,
    requestId,
    ...(problem.errors && { errors: problem.errors }),
    ...problem.members,
  };
}
