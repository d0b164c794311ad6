import { pino } from 'pino';
import type { Outbound } from '../../outbound/guarded-request.ts';
import { createThreadedOutbound } from '../../outbound/threaded-outbound.ts';

/** Makes calls as a worker does, also to these networks although they are private. */
export function outboundTo(...allowPrivateNetworks: string[]): Outbound {
  return createThreadedOutbound({ allowPrivateNetworks, logger: pino({ level: 'silent' }) });
}
