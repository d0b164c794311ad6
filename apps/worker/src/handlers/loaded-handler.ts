import type { JobDefinition } from '@accepted/job';

/** A handler that this worker can run. */
export interface LoadedHandler {
  type: string;
  queue: string;
  definition: JobDefinition;
  /** It passes JSON on as it was written: numbers beyond a double come as `JSON.rawJSON`, not as text. */
  takesRawNumbers?: true;
  /** The file it was loaded from; built-in handlers have none. */
  file?: string;
}
