import { createEngine } from './create-engine.ts';
import type { Engine } from './engine.ts';
import { openStore, type StoreOptions } from './open-store.ts';

/** Opens the engine that the configuration asks for. */
export function openEngine(options: StoreOptions): Engine {
  return createEngine(openStore(options), options.onError);
}
