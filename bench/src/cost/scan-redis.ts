const NEWLINE = 10;
const BYTES_OF_CRLF = 2;

/**
 * Makes a function that takes what a client sends to Redis, in pieces of any size, and tells of each command: an array
 * of strings whose lengths stand before them (Redis documentation, "RESP protocol spec").
 */
export function createRedisScanner(onCommand: () => void): (piece: Buffer) => void {
  let line = '';
  let stringBytesLeft = 0;
  return (piece) => {
    let at = 0;
    while (at < piece.length) {
      if (stringBytesLeft > 0) {
        const passed = Math.min(stringBytesLeft, piece.length - at);
        stringBytesLeft -= passed;
        at += passed;
        continue;
      }
      const end = piece.indexOf(NEWLINE, at);
      line += piece.toString('latin1', at, end === -1 ? piece.length : end);
      if (end === -1) return;
      at = end + 1;
      if (line.startsWith('*')) onCommand();
      else stringBytesLeft = Number(line.slice(1)) + BYTES_OF_CRLF;
      line = '';
    }
  };
}
