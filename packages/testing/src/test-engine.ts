import type { BullmqStore } from '@accepted/shared/engine/bullmq-store';
import { createEngine } from '@accepted/shared/engine/create-engine';
import type { Engine } from '@accepted/shared/engine/engine';
import { openStore } from '@accepted/shared/engine/open-store';

/** An engine, and the BullMQ beneath it for tests to look into. */
export interface TestEngine extends Engine {
  store: BullmqStore;
}

const ignoreErrors = () => undefined;

export function openTestEngine(on: { databaseUrl: string; redisUrl?: string | undefined }): TestEngine {
  const { databaseUrl, redisUrl } = on;
  const store = openStore({ databaseUrl, redisUrl, onError: ignoreErrors });
  return { ...createEngine(store, ignoreErrors), store };
}
