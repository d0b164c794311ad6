import type { JobDefinition } from '@accepted/job';

/** A handler that this worker can run. */
export interface LoadedHandler {
  type: string;
  queue: string;
  definition: JobDefinition;
  /**
   * The field of the payload that it passes on as it was written: numbers beyond a double come there as `JSON.rawJSON`.
   * Everywhere else they come as text, as the API has checked them.
   */
  rawField?: string;
  /** The file it was loaded from; built-in handlers have none. */
  file?: string;
}
