import type { Loop } from '../loop.ts';
import { startBulkReplays } from './bulk-replay.ts';
import { type DeadLetterMirrorOptions, startDeadLetterMirror } from './mirror.ts';

/** Starts what a worker does for dead letters: showing them in Bull Board and replaying many at a time. */
export function startDeadLetters(
  options: DeadLetterMirrorOptions & { onError: (error: unknown) => void },
): Pick<Loop, 'stop'>[] {
  return [startDeadLetterMirror(options), startBulkReplays(options)];
}
