/** W3C Trace Context, the fields that a caller hands on. */
export interface TraceContext {
  traceparent: string;
  tracestate?: string;
}

const TRACEPARENT =
  /^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(-[\x21-\x7e]*)?$/;
const TRACESTATE = /^[\x20-\x7e]{1,512}$/;

/**
 * Reads `traceparent` and `tracestate` (W3C Trace Context, Level 1). A malformed `traceparent` makes both of no
 * account, as the specification demands; a malformed `tracestate` is dropped alone.
 */
export function parseTraceContext(traceparent: unknown, tracestate: unknown): TraceContext | undefined {
  if (typeof traceparent !== 'string' || traceparent.length > 128 || !TRACEPARENT.test(traceparent))
    return undefined;
  if (traceparent.startsWith('00') && traceparent.length !== 55) return undefined;
  if (typeof tracestate !== 'string' || !TRACESTATE.test(tracestate)) return { traceparent };
  return { traceparent, tracestate };
}

/** Takes the trace id, 32 hex digits, out of a valid `traceparent`. */
export function traceIdOf(traceparent: string): string | null {
  return traceparent.split('-')[1] ?? null;
}
