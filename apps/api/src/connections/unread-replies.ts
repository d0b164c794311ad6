import type { Socket } from 'node:net';

/** What is smaller is taken by the kernel at once, whether the client reads or not. */
const MIN_BYTES = 16_384;

export interface UnreadBounds {
  /** A client is cut off when it has not taken its reply after so long and the time that its bytes take on a slow line. */
  stalledMs: number;
  /** What a slow line carries. */
  minBytesPerSecond: number;
  /** How much may wait in this process for its clients to read; beyond it, whoever has been the slowest is cut off. */
  maxBytes: number;
}

/** Keeps account of the replies that clients have not read yet. */
export interface UnreadReplies {
  /** Tells that `bytes` are about to be written; answers what to call when the network has taken them, or is gone. */
  add(socket: Socket, bytes: number): () => void;
  /** Tells that nobody knows how many are. */
  addStream(socket: Socket): void;
}

/**
 * The time is that of the whole reply. `net.Socket.setTimeout` would not do: whatever the client sends begins it anew, and so
 * does the first part of the reply that the kernel takes. It is for replies that are streamed, whose length nobody knows.
 */
export function createUnreadReplies(bounds: UnreadBounds): UnreadReplies {
  const { stalledMs, minBytesPerSecond, maxBytes } = bounds;
  const bytesOf = new Map<Socket, number>();
  let total = 0;

  function forget(socket: Socket): void {
    total -= bytesOf.get(socket) ?? 0;
    bytesOf.delete(socket);
  }

  return {
    add(socket, bytes) {
      const timer = setTimeout(() => socket.destroy(), stalledMs + (1_000 * bytes) / minBytesPerSecond);
      if (bytes < MIN_BYTES) return () => clearTimeout(timer);
      bytesOf.set(socket, bytes);
      total += bytes;
      for (const slowest of bytesOf.keys()) {
        if (total <= maxBytes || slowest === socket) break;
        slowest.destroy();
        forget(slowest);
      }
      return () => {
        clearTimeout(timer);
        forget(socket);
      };
    },
    addStream: (socket) => void socket.setTimeout(stalledMs),
  };
}
