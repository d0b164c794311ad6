const TYPE_AND_LENGTH_BYTES = 5;

/** The messages of the server that say how much it was asked (PostgreSQL manual, "Message Formats"). */
export const COMMAND_COMPLETE = 'C'.charCodeAt(0);
export const READY_FOR_QUERY = 'Z'.charCodeAt(0);

/**
 * Makes a function that takes what a PostgreSQL server sends, in pieces of any size, and tells of each message by its
 * type. Only the server's side can be read so simply: a client's first message has no type.
 */
export function createPostgresScanner(onMessage: (type: number) => void): (piece: Buffer) => void {
  const header = Buffer.alloc(TYPE_AND_LENGTH_BYTES);
  let headerBytes = 0;
  let bodyBytesLeft = 0;
  return (piece) => {
    let at = 0;
    while (at < piece.length) {
      if (bodyBytesLeft > 0) {
        const passed = Math.min(bodyBytesLeft, piece.length - at);
        bodyBytesLeft -= passed;
        at += passed;
        continue;
      }
      const copied = piece.copy(header, headerBytes, at, at + TYPE_AND_LENGTH_BYTES - headerBytes);
      headerBytes += copied;
      at += copied;
      if (headerBytes < TYPE_AND_LENGTH_BYTES) return;
      headerBytes = 0;
      // The length counts itself, and not the type.
      bodyBytesLeft = header.readInt32BE(1) - 4;
      onMessage(header.readUInt8(0));
    }
  };
}
