import { Logger, run, WorkerPreset } from 'graphile-worker';
import { runNoop } from '../../noop.ts';
import type { Payload } from '../../payload.ts';
import { CONCURRENCY, settings } from '../settings.ts';

// As its page on performance sets it, but for the concurrency: https://worker.graphile.org/docs/performance
const runner = await run({
  preset: {
    extends: [WorkerPreset],
    worker: {
      connectionString: settings.DATABASE_URL,
      concurrentJobs: CONCURRENCY,
      maxPoolSize: CONCURRENCY + 1,
      localQueue: { size: 500 },
      completeJobBatchDelay: 0,
      failJobBatchDelay: 0,
      // It logs a line for every job.
      logger: new Logger(() => () => undefined),
    },
  },
  taskList: { noop: async (payload) => void (await runNoop(payload as Payload)) },
});
process.stdout.write('worker started\n');
await runner.promise;
