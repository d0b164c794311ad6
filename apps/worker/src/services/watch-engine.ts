import type { Engine } from '@accepted/shared/engine/engine';
import { type Loop, startLoop } from './loop.ts';

/** Knows whether the queue engine answers, as of the last look. */
export interface EngineWatch extends Loop {
  isUp(): boolean;
}

/** Starts looking every `everyMs` whether the engine takes a write, which a full Redis refuses although it answers. */
export function watchEngine(engine: Pick<Engine, 'wasWiped'>, everyMs: number): EngineWatch {
  let up = true;
  const look = async (): Promise<number> => {
    up = await engine.wasWiped('watch').then(
      () => true,
      () => false,
    );
    return everyMs;
  };
  // Never fails; others tell of what is wrong with the engine.
  const loop = startLoop({ runOnce: look, retryAfterMs: everyMs, onError: () => undefined });
  return { ...loop, isUp: () => up };
}
