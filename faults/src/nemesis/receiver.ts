import { waitUntil } from '@accepted/testing/wait-until';
import type { FaultKind } from '../kinds.ts';
import type { ReceiverManner } from '../world/receiver.ts';
import type { Fault } from './fault.ts';
import { hold } from './targets.ts';

const SEEN_WITHIN_MS = 20_000;
const WEBHOOKS = 3;

/** Makes the fault of a receiver that takes events and treats their sender badly. */
export function badReceiver(kind: FaultKind, manner: Exclude<ReceiverManner, 'polite'>): Fault {
  return {
    kind,
    async inject({ world, random, submit }) {
      const isOverTls = manner === 'untrusted';
      const receiver = isOverTls ? world.tlsReceiver : world.receiver;
      if (!receiver) throw new Error('there is no receiver that speaks TLS');
      receiver.manner = manner;
      try {
        const ask = () => submit(isOverTls ? 'tlsWebhook' : 'webhook');
        await Promise.all(Array.from({ length: WEBHOOKS }, ask));
        await waitUntil(() => receiver.treated > 0, { until: 'a delivery came', timeoutMs: SEEN_WITHIN_MS });
        await hold(random, 1_500, 4_000);
        return { target: 'receiver', proof: `${receiver.treated} deliveries were treated so` };
      } finally {
        receiver.manner = 'polite';
      }
    },
  };
}
