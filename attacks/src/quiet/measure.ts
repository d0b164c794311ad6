import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

/** What the quiet tenant saw, in milliseconds. */
export interface Latencies {
  requestMs: number[];
  /** From the request that submits a job to the answer that it has ended. */
  jobMs: number[];
  /** Requests that were answered with an error, or not at all. */
  refused: number;
}

export interface QuietOptions {
  url: string;
  key: string;
  seconds: number;
  perSecond: number;
}

/** Has the quiet tenant work for a while, and answers what it saw. */
export async function measureQuietTenant(options: QuietOptions): Promise<Latencies> {
  const worker = new Worker(new URL('./quiet-tenant.ts', import.meta.url), { workerData: options });
  const [latencies] = await once(worker, 'message');
  return latencies;
}

/** Answers the value that the given part of all does not exceed; 0 when there are none. */
export function percentile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0;
}
