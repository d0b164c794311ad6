import { parentPort, workerData } from 'node:worker_threads';
import { lowerOwnPriority } from '@accepted/shared/runtime/threads/lower-priority';
import { createAddressPolicy } from './address-policy.ts';
import { openGuardedAgent } from './guarded-agent.ts';
import { createOutbound, OutboundError, type OutboundRequest } from './guarded-request.ts';
import type { FromThread, ThreadData, ToThread } from './thread-protocol.ts';

// The program of the thread that calls what strangers run, so that whatever they send keeps only this thread busy.

lowerOwnPriority();

const { allowPrivateNetworks } = workerData as ThreadData;
const outbound = createOutbound(openGuardedAgent(createAddressPolicy(allowPrivateNetworks)));
const aborters = new Map<number, AbortController>();

parentPort?.on('message', (message: ToThread) => {
  if (message.kind === 'abort') aborters.get(message.id)?.abort();
  else void call(message.id, message.request);
});

async function call(id: number, request: Omit<OutboundRequest, 'signal'>): Promise<void> {
  const aborter = new AbortController();
  aborters.set(id, aborter);
  try {
    const { body, ...reply } = await outbound({ ...request, signal: aborter.signal });
    // Node keeps small buffers in one that several share, which cannot be handed over.
    const ownBody = new Uint8Array(body);
    answer({ kind: 'replied', id, reply, body: ownBody }, [ownBody.buffer]);
  } catch (error) {
    if (!aborter.signal.aborted) answer(describeFailure(id, error));
  } finally {
    aborters.delete(id);
  }
}

function answer(message: FromThread, handedOver: ArrayBuffer[] = []): void {
  parentPort?.postMessage(message, handedOver);
}

function describeFailure(id: number, error: unknown): FromThread {
  const { code, message, cause } =
    error instanceof OutboundError ? error : new OutboundError('network_error', String(error));
  const reason = cause instanceof Error ? String(cause.stack) : String(cause ?? message);
  return { kind: 'failed', id, code, message, reason };
}
