import { parseExactly } from '@accepted/shared/core/json/exact-numbers';
import { JsonText } from '@accepted/shared/core/json/json-text';
import fp from 'fastify-plugin';
import type { InspectPayload } from '../submit/check-submission.ts';
import { inspectPayload } from '../submit/inspect-payload.ts';
import { type CheckThreads, createCheckThreads, LARGE_BYTES } from './check-threads.ts';

declare module 'fastify' {
  interface FastifyInstance {
    checkThreads: CheckThreads;
    /** Makes what inspects payloads of a tenant: at once what is small and quickly checked, the rest in a thread. */
    inspectPayloadsOf(tenantId: string): InspectPayload;
  }
}

/** Keeps what is large, or slow to check, off the event loop: there everybody would wait for it. */
export const checkThreads = fp(async (app) => {
  const threads = createCheckThreads();
  app.decorate('checkThreads', threads);
  app.decorate('inspectPayloadsOf', (tenantId) => (known, payload) => {
    // Whatever is large was kept as its text.
    const json = payload instanceof JsonText ? payload.text : undefined;
    if (known.isQuick && (json?.length ?? 0) < LARGE_BYTES)
      return json === undefined
        ? inspectPayload(known, payload)
        : { ...inspectPayload(known, parseExactly(json)), json };
    const { row, isQuick } = known;
    return threads.inspect(tenantId, { json: json ?? JSON.stringify(payload), row, isQuick });
  });
  app.addHook('onClose', () => threads.close());
});
