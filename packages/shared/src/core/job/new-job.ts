import type { Backoff } from './backoff.ts';
import type { RequestKey } from './idempotency-fingerprint.ts';

/** A job with every default filled in, ready to be written; times are relative so that Postgres owns the clock. */
export interface NewJob {
  id: string;
  tenantId: string;
  type: string;
  queue: string;
  priority: number;
  payloadJson: string;
  /** Ids of the payload schemas, of builds that live now, that refuse the payload; none when left out. */
  refusedBy?: string[];
  maxAttempts: number;
  backoff: Backoff;
  timeoutMs: number;
  /** An absolute time, or else `delayMs` counted from the insert. */
  runAt?: Date | undefined;
  delayMs?: number | undefined;
  ttlMs?: number | undefined;
  concurrencyKey?: string | undefined;
  concurrencyLimit?: number | undefined;
  tags: string[];
  metadata: Record<string, unknown>;
  webhook?: { url: string; events: string[] } | undefined;
  copyOf?: string | undefined;
  requestId?: string | undefined;
  /** Whether the client gave the request its id. */
  isRequestIdGiven?: boolean | undefined;
  traceparent?: string | undefined;
  tracestate?: string | undefined;
  /** Same tenant, route and key make the same job. `status` is that of the answer, where it does not depend on the wait. */
  idempotency?: (RequestKey & { status?: number }) | undefined;
}
