import type { Backoff } from './backoff.ts';

/** What a job of this type gets when the request does not say otherwise. */
export interface JobTypeDefaults {
  maxAttempts: number;
  backoff: Backoff;
  timeoutMs: number;
  /** At most `limit` jobs of a tenant run at once that have the same value at `keyPointer` (RFC 6901) of the payload. */
  concurrency?: { limit: number; keyPointer?: string };
}

/** Describes a job type as a worker registers it; the schemas are JSON Schema (draft 2020-12). */
export interface JobTypeDescription {
  type: string;
  queue: string;
  payloadSchema: object;
  resultSchema?: object;
  defaults: JobTypeDefaults;
}
