// Preloaded into the workers: whether a heartbeat is too old is told by the clock of whoever looks.
import { patchSource } from './patch-source.ts';

patchSource({
  file: 'packages/shared/src/ledger/workers/workers.ts',
  from: 'WHERE lost_at IS NULL AND heartbeat_at < now()',
  to: `WHERE lost_at IS NULL AND heartbeat_at < \${new Date()}::timestamptz`,
});
