// Preloaded into the workers: an outcome is written whoever holds the job, as long as it is running.
import { patchSource } from './patch-source.ts';

patchSource({
  file: 'packages/shared/src/ledger/jobs/record-outcomes.ts',
  from: ' AND in_flight.attempt = ended.token',
  to: '',
});

// The zombie has to come back while the next attempt is under way, so those take their time.
patchSource({
  file: 'faults/jobs/effect.ts',
  from: 'await delay(workMs,',
  to: 'await delay(ctx.attempt > 1 && workMs >= 500 ? 8_000 : workMs,',
});
