/** A start that failed for a reason that the user can mend: its message is one sentence that says what to do. */
export class StartError extends Error {
  override name = 'StartError';
}

/** Says why something failed; Node gives a connection that failed on several addresses a code but no message. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.message || ('code' in error ? String(error.code) : error.name);
}
