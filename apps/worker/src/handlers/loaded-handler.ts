import type { JobDefinition } from '@accepted/job';

/** A handler that this worker can run. */
export interface LoadedHandler {
  type: string;
  queue: string;
  definition: JobDefinition;
  /** The file it was loaded from; built-in handlers have none. */
  file?: string;
}
