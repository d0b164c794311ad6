/** An error as it stands in a log. */
interface LoggedError {
  type: string;
  message: string;
  stack?: string;
  code?: string;
  cause?: LoggedError;
  errors?: LoggedError[];
}

/** Errors may be causes of each other in a circle. */
const MAX_DEPTH = 5;

/**
 * Describes an error by what is always fit for a log. Drivers add more: PostgreSQL's `detail` and `where` quote the row that
 * was refused, and with it payloads; ioredis adds the command with its arguments, among them the password.
 */
export function describeError(error: unknown, depth = 0): LoggedError {
  if (!(error instanceof Error)) return { type: typeof error, message: messageOf(error) };
  const { cause } = error;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined;
  const errors = error instanceof AggregateError ? error.errors.slice(0, MAX_DEPTH) : [];
  const inner = depth < MAX_DEPTH ? (one: unknown) => describeError(one, depth + 1) : undefined;
  return {
    type: error.name,
    message: error.message,
    ...(error.stack !== undefined && { stack: error.stack }),
    ...(code !== undefined && { code }),
    ...(inner && cause !== undefined && { cause: inner(cause) }),
    ...(inner && errors.length > 0 && { errors: errors.map(inner) }),
  };
}

/** An object that is thrown may hold anything, so that it is only named. */
function messageOf(thrown: unknown): string {
  return typeof thrown === 'object' || typeof thrown === 'function' ? 'not an Error' : String(thrown);
}
