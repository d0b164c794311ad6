// Preloaded into the workers: an outcome is written whoever holds the job, as long as it is running.
import { patchSource } from './patch-source.ts';

patchSource({
  file: 'packages/shared/src/database/record-outcomes.ts',
  from: "WHERE jobs.attempt = ended.attempt AND jobs.status = 'running'",
  to: "WHERE jobs.status = 'running'",
});
