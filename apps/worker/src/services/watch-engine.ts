import type { Engine } from '@accepted/shared/engine/engine';
import { type Loop, startLoop } from './loop.ts';

/** Memory fills slowly, and is measured at every so many looks, and while there is trouble. */
const LOOKS_A_MEASURE = 4;

/** Knows how the queue engine is, as of the last look. */
export interface EngineWatch extends Loop {
  /** Whether it takes writes. */
  isUp(): boolean;
  /** Which part of its memory is taken; `undefined` while it does not tell, as one that is full still does. */
  fullness(): number | undefined;
}

/** Starts looking every `everyMs` whether the engine takes a write, which a full Redis refuses although it answers. */
export function watchEngine(engine: Pick<Engine, 'wasWiped' | 'fullness'>, everyMs: number): EngineWatch {
  let up = true;
  let fullness: number | undefined;
  let looks = 0;
  const look = async (): Promise<number> => {
    up = await engine.wasWiped('watch').then(
      () => true,
      () => false,
    );
    if (looks % LOOKS_A_MEASURE === 0 || !up) fullness = await engine.fullness().catch(() => undefined);
    looks += 1;
    return everyMs;
  };
  // Never fails; others tell of what is wrong with the engine.
  const loop = startLoop({ runOnce: look, retryAfterMs: everyMs, onError: () => undefined });
  return { ...loop, isUp: () => up, fullness: () => fullness };
}
