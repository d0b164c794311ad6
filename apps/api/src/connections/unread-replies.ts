import type { Socket } from 'node:net';

/** What is smaller is taken by the kernel at once, whether the client reads or not. */
const MIN_BYTES = 16_384;

export interface UnreadBounds {
  /** A client that has taken nothing of its reply for so long is cut off. */
  stalledMs: number;
  /** How much may wait in this process for its clients to read; beyond it, whoever has been the slowest is cut off. */
  maxBytes: number;
}

/** Keeps account of the replies that clients have not read yet. */
export interface UnreadReplies {
  /** Tells that `bytes` are about to be written; answers what to call when the network has taken them, or is gone. */
  add(socket: Socket, bytes: number): () => void;
}

/** The time goes by what the kernel takes of a write (`net.Socket.setTimeout`), so a slow reader is no stalled one. */
export function createUnreadReplies({ stalledMs, maxBytes }: UnreadBounds): UnreadReplies {
  const bytesOf = new Map<Socket, number>();
  let total = 0;

  function forget(socket: Socket): void {
    total -= bytesOf.get(socket) ?? 0;
    bytesOf.delete(socket);
  }

  return {
    add(socket, bytes) {
      socket.setTimeout(stalledMs);
      if (bytes < MIN_BYTES) return () => undefined;
      bytesOf.set(socket, bytes);
      total += bytes;
      for (const slowest of bytesOf.keys()) {
        if (total <= maxBytes || slowest === socket) break;
        slowest.destroy();
        forget(slowest);
      }
      return () => forget(socket);
    },
  };
}
