import type { Database } from '@accepted/shared/ledger/connection/connect';
import { writeProgress } from '@accepted/shared/ledger/jobs/write-progress';
import type { LineLogger } from '@accepted/shared/runtime/logging/lazy-child';

/** Takes the progress that a handler reports and writes it, the newest value only, one write at a time. */
export interface ProgressReporter {
  report(value: unknown): void;
  /** Resolves when the last value is written, or could not be. */
  settled(): Promise<void>;
}

/** Progress is news, not truth: a value that cannot be written is dropped and the attempt goes on. */
export function createProgressReporter(
  db: Database,
  job: { id: string; attempt: number },
  logger: LineLogger,
): ProgressReporter {
  let newest: string | undefined;
  let writing: Promise<void> | undefined;

  async function write(): Promise<void> {
    while (newest !== undefined) {
      const json = newest;
      newest = undefined;
      await writeProgress(db, job, json).catch((error: unknown) => {
        logger.warn({ err: error }, 'progress could not be written');
      });
    }
    writing = undefined;
  }

  return {
    report(value) {
      try {
        newest = JSON.stringify(value ?? null);
      } catch (error) {
        logger.warn({ err: error }, 'progress is not JSON; it is dropped');
        return;
      }
      writing ??= write();
    },
    settled: () => writing ?? Promise.resolve(),
  };
}
