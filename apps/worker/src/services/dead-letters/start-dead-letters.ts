import type { Loop } from '../loop.ts';
import type { ServiceLeases } from '../service-leases.ts';
import { startBulkReplays } from './bulk-replay.ts';
import { type DeadLetterMirrorOptions, startDeadLetterMirror } from './mirror.ts';

/** Starts what a worker does for dead letters: showing them in Bull Board and replaying many at a time. */
export function startDeadLetters(
  options: Omit<DeadLetterMirrorOptions, 'service'> & {
    services: Pick<ServiceLeases, 'one'>;
    onError: (error: unknown) => void;
  },
): Pick<Loop, 'stop'>[] {
  const { services } = options;
  return [
    startDeadLetterMirror({ ...options, service: services.one('mirror') }),
    startBulkReplays({ ...options, service: services.one('bulk replays') }),
  ];
}
