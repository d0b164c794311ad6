import type { OutboundFault, OutboundReply, OutboundRequest } from './guarded-request.ts';

/** What the thread is told when it starts. */
export interface ThreadData {
  /** CIDRs that calls may reach although they are private. */
  allowPrivateNetworks: readonly string[];
}

/** What the worker asks of the thread; nobody waits for the answer of an aborted call. */
export type ToThread =
  | { kind: 'call'; id: number; request: Omit<OutboundRequest, 'signal'> }
  | { kind: 'abort'; id: number };

/** What became of a call. The bytes of the body are handed over, not copied. */
export type FromThread =
  | { kind: 'replied'; id: number; reply: Omit<OutboundReply, 'body'>; body: Uint8Array<ArrayBuffer> }
  | { kind: 'failed'; id: number; code: OutboundFault; message: string; reason: string };
