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

/** How long the quiet tenant works, and how many requests, and jobs, it sends a second. */
export interface Extent {
  seconds: number;
  perSecond: number;
}

export interface QuietTenant {
  /** Has it work for a while, and answers what it saw. */
  measure(extent: Extent): Promise<Latencies>;
  close(): Promise<void>;
}

/** Starts the thread of the quiet tenant. It keeps the priority that its maker has now. */
export function startQuietTenant(url: string, key: string): QuietTenant {
  const worker = new Worker(new URL('./quiet-tenant.ts', import.meta.url), { workerData: { url, key } });
  return {
    async measure(extent) {
      worker.postMessage(extent);
      const [latencies] = await once(worker, 'message');
      return latencies;
    },
    async close() {
      await worker.terminate();
    },
  };
}

/** Answers the value that the given part of all does not exceed, by nearest rank; 0 when there are none. */
export function percentile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(part * sorted.length) - 1)] ?? 0;
}
