import { describeJobType } from '../describe-job-type.ts';
import { loadHandlers } from '../load-handlers.ts';

// Loads the handlers of the folder given, without the test runner's own module loader between, and prints the catalog.
try {
  const handlers = await loadHandlers({ jobsDir: process.argv[2], builtins: [] });
  process.stdout.write(JSON.stringify(handlers.map(describeJobType)));
} catch (error) {
  process.stderr.write(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}
